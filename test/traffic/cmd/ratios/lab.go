package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshegress/terraform-provider-istio/test/traffic/bench"
)

var (
	//go:embed main.tf
	configuration string
	//go:embed workload.yaml
	workload string
	//go:embed classic.yaml
	classic string
)

// patience bounds the wait for what the mesh has to learn.
const patience = time.Minute

// lab is a mesh in which all ways lead from the caller to the server.
type lab struct {
	*bench.Bench
	caller, gateway corev1.Pod
}

// newLab starts everything. The caller closes the lab, also after an error.
func newLab(ctx context.Context, root string) (*lab, error) {
	b, err := bench.Start(ctx, root, workload, configuration)
	l := &lab{Bench: b}
	if err != nil {
		return l, err
	}
	if _, err = l.Terraform(ctx, "apply", "-no-color", "-auto-approve"); err != nil {
		return l, err
	}
	if err = l.Apply(ctx, classic); err != nil {
		return l, err
	}
	if l.caller, err = l.Pod(ctx, "mytest", "sleep"); err != nil {
		return l, err
	}
	if l.gateway, err = l.Pod(ctx, "istio-egress", "egressgateway-a"); err != nil {
		return l, err
	}
	return l, l.ready(ctx)
}

// ready waits until calls go all ways: the mesh takes a moment to learn what was
// applied.
func (l *lab) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, group := range ways {
		for _, w := range group {
			for {
				_, err := l.call(ctx, w, together, 0)
				if err == nil {
					break
				}
				select {
				case <-ctx.Done():
					return err
				case <-time.After(100 * time.Millisecond):
				}
			}
		}
	}
	return nil
}

// call lets callers make calls, in a process in the network of the caller's pod.
func (l *lab) call(ctx context.Context, w *way, callers int, span time.Duration) (made calls, err error) {
	o := order{URL: w.protocol + "://" + w.host, Status: w.status, Peer: l.caller.Status.PodIP, Callers: callers, Span: span}
	if w.gateway {
		o.Peer = l.gateway.Status.PodIP
	}
	text, err := json.Marshal(o)
	if err != nil {
		return made, err
	}
	command, err := l.Within(ctx, l.caller, callerArgument)
	if err != nil {
		return made, err
	}
	var output, complaint bytes.Buffer
	command.Env = []string{} // no SSL_CERT_FILE: the mesh shows the servers' authority in the system's place
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(text), &output, &complaint
	if err := command.Run(); err != nil {
		return made, fmt.Errorf("%s, %s: %w\n%s", w.protocol, w.name, err, complaint.String())
	}
	return made, json.Unmarshal(output.Bytes(), &made)
}
