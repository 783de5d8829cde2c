package proxyview

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
)

// View is the configuration that istiod has sent so far.
type View struct {
	conn   *grpc.ClientConn
	stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	cancel context.CancelFunc

	mu         sync.Mutex
	undeclared string        // "" before the first push
	failed     error         // why there will be no further push
	changed    chan struct{} // closed, and replaced, with every push
}

// Connect opens a stream to istiod at address (host:port, plaintext) and returns
// without waiting for the first push. ctx bounds the whole life of the view, which
// Close ends earlier.
func Connect(ctx context.Context, address string, sidecar Sidecar) (*View, error) {
	node, err := sidecar.node()
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		// The listeners of a large mesh do not fit into the default of 4 MiB.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(256<<20)))
	if err != nil {
		return nil, fmt.Errorf("xDS server %s: %w", address, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	v := &View{conn: conn, cancel: cancel, changed: make(chan struct{})}
	v.stream, err = discoveryv3.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	if err == nil {
		err = v.stream.Send(&discoveryv3.DiscoveryRequest{Node: node, TypeUrl: listenerType})
	}
	if err != nil {
		v.Close()
		return nil, fmt.Errorf("xDS stream to %s: %w", address, err)
	}
	go v.receive(node)
	return v, nil
}

// Close ends the stream.
func (v *View) Close() {
	v.cancel()
	_ = v.conn.Close()
}

// receive takes and acknowledges pushes until the stream ends. A push that it
// does not understand is refused, as Envoy would.
func (v *View) receive(node *corev3.Node) {
	for {
		push, err := v.stream.Recv()
		if err != nil {
			v.set("", fmt.Errorf("the xDS stream has ended: %w", err))
			return
		}
		answer := &discoveryv3.DiscoveryRequest{
			Node: node, TypeUrl: push.GetTypeUrl(), VersionInfo: push.GetVersionInfo(), ResponseNonce: push.GetNonce(),
		}
		cluster, err := undeclaredCluster(push.GetResources())
		if err != nil {
			answer.ErrorDetail = &rpcstatus.Status{Message: err.Error()}
		}
		v.set(cluster, err)
		if err := v.stream.Send(answer); err != nil {
			v.set("", fmt.Errorf("acknowledge a push: %w", err))
			return
		}
	}
}

func (v *View) set(cluster string, failed error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if cluster != "" {
		v.undeclared = cluster
	}
	v.failed = failed
	close(v.changed)
	v.changed = make(chan struct{})
}

// Undeclared waits for the first push and returns where the sidecar sends calls
// to hosts that nobody has declared: PassThrough, BlackHole, or the cluster of an
// egress proxy. A later push may change it.
func (v *View) Undeclared(ctx context.Context) (string, error) {
	return v.wait(ctx, func(cluster string) bool { return cluster != "" })
}

// WaitUndeclared waits until the sidecar sends undeclared calls to the cluster
// that is wanted.
func (v *View) WaitUndeclared(ctx context.Context, wanted string) error {
	last, err := v.wait(ctx, func(cluster string) bool { return cluster == wanted })
	if err != nil {
		return fmt.Errorf("undeclared outbound calls should go to %s and go to %q: %w", wanted, last, err)
	}
	return nil
}

func (v *View) wait(ctx context.Context, enough func(cluster string) bool) (string, error) {
	for {
		v.mu.Lock()
		cluster, failed, changed := v.undeclared, v.failed, v.changed
		v.mu.Unlock()
		if enough(cluster) {
			return cluster, nil
		}
		if failed != nil {
			return cluster, failed
		}
		select {
		case <-ctx.Done():
			if cluster == "" {
				return "", errors.Join(ctx.Err(), errors.New("istiod has sent nothing"))
			}
			return cluster, ctx.Err()
		case <-changed:
		}
	}
}

// podName is new for every view: istiod keeps connections apart by it.
func podName() string { return "proxyview-" + rand.Text()[:8] }
