package meshcost

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"

	"istio.io/istio/pilot/pkg/model"
	v3 "istio.io/istio/pilot/pkg/xds/v3"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pilot/test/xdstest"
	"istio.io/istio/pkg/test"
	"istio.io/istio/pkg/util/sets"

	"github.com/meshegress/terraform-provider-istio/test/simulation/judge"
)

// Proxies are those that are looked at, in this order.
var Proxies = []string{"sidecar of a source namespace", "sidecar of another namespace", "gateway"}

// The indexes of Proxies.
const (
	Source = iota
	Bystander
	Gateway
)

// Config is what a proxy gets in one full push.
type Config struct {
	Clusters, Listeners, FilterChains int
	// Routes of all virtual hosts that the proxy asks for by name.
	Routes int
	// Bytes of the responses for clusters, endpoints, listeners and routes.
	Bytes int
}

// Minus returns what the proxy gets beyond base.
func (c Config) Minus(base Config) Config {
	return Config{
		c.Clusters - base.Clusters, c.Listeners - base.Listeners, c.FilterChains - base.FilterChains,
		c.Routes - base.Routes, c.Bytes - base.Bytes,
	}
}

// Result is one measurement.
type Result struct {
	// Objects that istiod reads, those of the gateway included.
	Objects int
	// Configs and Took are by the index of Proxies; Took is the time in which istiod
	// makes the configuration with nothing in its cache.
	Configs [3]Config
	Took    [3]time.Duration
	// Context is the time in which istiod reads all objects anew, once for all proxies.
	Context time.Duration
}

// Measure gives the objects of a spread to an istiod. Times are the medians of some
// turns.
func Measure(l Layout, s Spread, turns int) (Result, error) {
	state, err := l.state(s)
	if err != nil {
		return Result{}, err
	}
	r := Result{Objects: len(state.Objects)}
	var measured error
	err = test.Wrap(func(t test.Failer) {
		server, rejected := judge.Serve(t, state.Settings, []*judge.State{state}, "DestinationRule")
		for _, refused := range rejected {
			measured = errors.Join(measured, fmt.Errorf("%s: %w", refused.Key, refused.Err))
		}
		if measured == nil {
			measured = r.measure(server, state, turns)
		}
	})
	return r, errors.Join(err, measured)
}

func (r *Result) measure(server *xds.FakeDiscoveryServer, state *judge.State, turns int) error {
	var contexts []time.Duration
	var took [3][]time.Duration
	for range turns {
		began := processorTime()
		push := model.NewPushContext()
		push.InitContext(server.Env(), nil, nil)
		contexts = append(contexts, processorTime()-began)
		server.Env().SetPushContext(push)
		for i, proxy := range []*model.Proxy{
			Source: state.Sidecar(sourceIndex), Bystander: state.Sidecar(bystanderIndex), Gateway: state.Gateway(0),
		} {
			server.Discovery.Cache.ClearAll()
			began := processorTime()
			pushed, err := generate(server, push, proxy)
			took[i] = append(took[i], processorTime()-began)
			if err != nil {
				return fmt.Errorf("%s: %w", Proxies[i], err)
			}
			if r.Configs[i], err = count(pushed); err != nil {
				return fmt.Errorf("%s: %w", Proxies[i], err)
			}
		}
	}
	r.Context = median(contexts)
	for i := range took {
		r.Took[i] = median(took[i])
	}
	return nil
}

// processorTime is what this process has used so far. It hardly depends on what else
// runs on the machine.
func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // fails for another argument only
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// pushed are the resources of a full push, by type.
type pushed map[string]model.Resources

// generate makes what a proxy asks for one after the other: it learns the names of
// endpoints from clusters, and those of routes from listeners.
func generate(server *xds.FakeDiscoveryServer, push *model.PushContext, proxy *model.Proxy) (pushed, error) {
	proxy = server.SetupProxy(proxy)
	request := &model.PushRequest{Forced: true, Push: push, Start: time.Now()}
	all := pushed{}
	get := func(kind string, names []string) error {
		watched := &model.WatchedResource{TypeUrl: kind, ResourceNames: sets.New(names...)}
		resources, _, err := server.Discovery.Generators[kind].Generate(proxy, watched, request)
		all[kind] = resources
		return err
	}
	if err := get(v3.ClusterType, nil); err != nil {
		return nil, err
	}
	clusters, err := unpack[*clusterv3.Cluster](all[v3.ClusterType])
	if err != nil {
		return nil, err
	}
	if err := get(v3.EndpointType, xdstest.ExtractEdsClusterNames(clusters)); err != nil {
		return nil, err
	}
	if err := get(v3.ListenerType, nil); err != nil {
		return nil, err
	}
	listeners, err := unpack[*listenerv3.Listener](all[v3.ListenerType])
	if err != nil {
		return nil, err
	}
	return all, get(v3.RouteType, xdstest.ExtractRoutesFromListeners(listeners))
}

// count adds up a push.
func count(all pushed) (Config, error) {
	c := Config{Clusters: len(all[v3.ClusterType]), Listeners: len(all[v3.ListenerType])}
	listeners, err := unpack[*listenerv3.Listener](all[v3.ListenerType])
	if err != nil {
		return c, err
	}
	for _, l := range listeners {
		c.FilterChains += len(l.GetFilterChains())
		if l.GetDefaultFilterChain() != nil {
			c.FilterChains++
		}
	}
	routes, err := unpack[*routev3.RouteConfiguration](all[v3.RouteType])
	if err != nil {
		return c, err
	}
	for _, r := range routes {
		for _, host := range r.GetVirtualHosts() {
			c.Routes += len(host.GetRoutes())
		}
	}
	for kind, resources := range all {
		response := &discovery.DiscoveryResponse{TypeUrl: kind}
		for _, resource := range resources {
			response.Resources = append(response.Resources, resource.GetResource())
		}
		c.Bytes += proto.Size(response)
	}
	return c, nil
}

func unpack[M proto.Message](resources model.Resources) ([]M, error) {
	all := make([]M, 0, len(resources))
	for _, resource := range resources {
		message, err := resource.GetResource().UnmarshalNew()
		if err != nil {
			return nil, err
		}
		all = append(all, message.(M))
	}
	return all, nil
}
