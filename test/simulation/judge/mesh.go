// Package judge follows calls through the configuration that Istio generates.
//
// A Mesh is one istiod in process for many states: each state has namespaces
// of its own, and nothing that a state holds is seen in the namespaces of
// another.
package judge

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/types/known/anypb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/fake"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/networking/core"
	"istio.io/istio/pilot/pkg/simulation"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pilot/test/xdstest"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/kube"
	"istio.io/istio/pkg/kube/krt"
	"istio.io/istio/pkg/test"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// settle is how long the generator waits for more changes before it builds
// its view of the mesh: all objects are there from the start, so that once is
// enough.
const settle = 50 * time.Millisecond

// start is when the first object of each state was created; each further one
// is a second younger.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// State is a mesh at one moment.
type State struct {
	scenario.Scenario
	// Objects in the order in which they were created.
	Objects []manifest.Object

	id       int
	proxies  map[int]*view // by workload
	gateways map[int]*view // by gateway
}

// Mesh is an istiod in process.
type Mesh struct {
	t      *testing.T
	server *xds.FakeDiscoveryServer
	// Rejected are the objects that Istio's validation refuses.
	Rejected []Rejection
}

// Rejection is an object that istiod's webhook refuses.
type Rejection struct {
	// State is the index of the state, Key the object's.
	State int
	Key   string
	Err   error
}

// view is the configuration of one proxy.
type view struct {
	proxy *model.Proxy
	// invalid is what Envoy would refuse the configuration for.
	invalid []string
	sim     *simulation.Simulation
	// clusters by name, packed.
	clusters map[string]*anypb.Any
	// unpacked and guards are what has been read of clusters and chains.
	unpacked map[string]*clusterv3.Cluster
	guards   map[*listenerv3.FilterChain]guard
	ways     map[approach]passage
	names    map[string][]string // DNS names that its sidecar answers
}

// New starts an istiod that knows the objects of all states. All states have
// the settings, and no two share a namespace.
func New(t *testing.T, settings scenario.Settings, states []*State) *Mesh {
	m := &Mesh{t: t}
	m.server, m.Rejected = Serve(t, settings, states)
	// Sidecars of one namespace have most of their clusters in common; istiod
	// keeps them in a cache, and so do we.
	m.server.ConfigGen = core.NewConfigGenerator(model.NewXdsCache())
	return m
}

// Serve starts an istiod that knows the objects of all states, and returns what
// its validation refuses. It ends with t. It hears of objects of the late kinds
// only then: the server of Istio's tests gives up when it has not digested
// everything within 30 seconds of its start.
func Serve(t test.Failer, settings scenario.Settings, states []*State, late ...string) (*xds.FakeDiscoveryServer, []Rejection) {
	// It holds on to the collections of every istiod there ever was in the
	// process.
	krt.GlobalDebugHandler = new(krt.DebugHandler)
	var rejected []Rejection
	var configs, remaining []config.Config
	var objects []runtime.Object
	vips := &allocator{next: netip.MustParseAddr("240.240.0.1")}
	clusterIPs := &allocator{next: netip.MustParseAddr("172.16.0.1")}
	for id, s := range states {
		s.id = id
		s.proxies, s.gateways = map[int]*view{}, map[int]*view{}
		for g, ref := range s.Gateways {
			objects = append(objects, pod(ref, ref.Name, s.gatewayIP(g)))
			if holdsIdentity(ref) {
				objects = append(objects, pod(ref, intruder, s.intruderIP(g)))
			}
		}
		for n, o := range s.Objects {
			created := start.Add(time.Duration(n) * time.Second)
			if o.Body.GetKind() == "Service" {
				service, slice := service(s, o.Body, created, clusterIPs.take())
				objects = append(objects, service, slice)
				continue
			}
			cfg, err := istioConfig(o.Body, created, vips)
			if err != nil {
				rejected = append(rejected, Rejection{id, o.Key, err})
				continue
			}
			if slices.Contains(late, o.Body.GetKind()) {
				remaining = append(remaining, cfg)
				continue
			}
			configs = append(configs, cfg)
		}
	}
	server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		Configs:           configs,
		KubernetesObjects: objects,
		MeshConfig:        meshConfig(settings),
		DebounceTime:      settle,
		KubeClientBuilder: clientWith,
	})
	for _, cfg := range remaining {
		if _, err := server.Store().Create(cfg); err != nil {
			t.Fatalf("judge: %s/%s: %v", cfg.Namespace, cfg.Name, err)
		}
	}
	err := wait.PollUntilContextCancel(context.Background(), settle, true, func(context.Context) (bool, error) {
		return server.Discovery.CommittedUpdates.Load() >= server.Discovery.InboundUpdates.Load(), nil
	})
	if err != nil {
		t.Fatalf("judge: %v", err)
	}
	return server, rejected
}

// clientWith is the fake client of Istio's tests. It is filled past the field
// manager, which makes a REST mapper for each single object.
func clientWith(objects ...runtime.Object) kube.Client {
	client := kube.NewFakeClientWithVersion("")
	tracker := client.Kube().(*fake.Clientset).Tracker()
	for _, o := range objects {
		if err := tracker.Add(o); err != nil {
			panic(fmt.Sprintf("judge: %v", err))
		}
	}
	return client
}

func meshConfig(settings scenario.Settings) *meshconfig.MeshConfig {
	m := mesh.DefaultMeshConfig()
	m.TrustDomain = settings.TrustDomain
	m.TrustDomainAliases = settings.Aliases
	m.OutboundTrafficPolicy = &meshconfig.MeshConfig_OutboundTrafficPolicy{Mode: meshconfig.MeshConfig_OutboundTrafficPolicy_ALLOW_ANY}
	if settings.RegistryOnly {
		m.OutboundTrafficPolicy.Mode = meshconfig.MeshConfig_OutboundTrafficPolicy_REGISTRY_ONLY
	}
	return m
}

// sidecar returns the view of a workload's sidecar.
func (m *Mesh) sidecar(s *State, workload int) *view {
	if v, ok := s.proxies[workload]; ok {
		return v
	}
	v := m.view(s.Sidecar(workload))
	if s.DNSCapture {
		v.names = map[string][]string{}
		for host, info := range m.server.ConfigGen.BuildNameTable(v.proxy, m.server.PushContext()).Table {
			if len(info.Ips) > 0 {
				v.names[host] = info.Ips
			}
		}
	}
	s.proxies[workload] = v
	return v
}

// lookup answers a DNS query as the sidecar does (pkg/dns/client/dns.go,
// lookupHost): by the name, else by the longest wildcard.
func (v *view) lookup(host string) []string {
	if ips, ok := v.names[host]; ok {
		return ips
	}
	for {
		_, parent, ok := strings.Cut(host, ".")
		if !ok {
			return nil
		}
		if ips, ok := v.names["*."+parent]; ok {
			return ips
		}
		host = parent
	}
}

// gateway returns the view of a gateway's proxy.
func (m *Mesh) gateway(s *State, gateway int) *view {
	if v, ok := s.gateways[gateway]; ok {
		return v
	}
	v := m.view(s.Gateway(gateway))
	s.gateways[gateway] = v
	return v
}

func (m *Mesh) view(p *model.Proxy) *view {
	p = m.server.SetupProxy(p)
	listeners := m.server.Listeners(p)
	clusters, _ := m.server.ConfigGen.BuildClusters(p, &model.PushRequest{Push: m.server.PushContext()})
	v := &view{
		proxy: p,
		// What simulation.NewSimulation makes, without the clusters: they are
		// unpacked when a call comes to them.
		sim: &simulation.Simulation{
			Listeners: listeners,
			Routes:    m.server.RoutesFromListeners(p, listeners),
		},
		clusters: map[string]*anypb.Any{},
		unpacked: map[string]*clusterv3.Cluster{},
		guards:   map[*listenerv3.FilterChain]guard{},
		ways:     map[approach]passage{},
	}
	for _, c := range clusters {
		v.clusters[c.GetName()] = c.GetResource()
	}
	if p.Type == model.Router {
		r := &recorder{TB: m.t}
		xdstest.ValidateListeners(r, listeners)
		xdstest.ValidateRouteConfigurations(r, v.sim.Routes)
		v.invalid = r.errors
	}
	return v
}

// recorder keeps what a test would fail with.
type recorder struct {
	testing.TB

	errors []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// Invalid returns what Envoy would refuse of the configuration of the gateways
// that were asked so far.
func (s *State) Invalid() []string {
	var all []string
	for _, v := range s.gateways {
		all = append(all, v.invalid...)
	}
	return all
}

// cluster returns a cluster of the proxy.
func (v *view) cluster(name string) (*clusterv3.Cluster, bool) {
	if c, ok := v.unpacked[name]; ok {
		return c, true
	}
	box, ok := v.clusters[name]
	if !ok {
		return nil, false
	}
	c := unpack(box).(*clusterv3.Cluster)
	v.unpacked[name] = c
	return c, true
}

// guard returns what stands in a filter chain before its route.
func (v *view) guard(chain *listenerv3.FilterChain) guard {
	g, ok := v.guards[chain]
	if !ok {
		g = guardOf(chain)
		v.guards[chain] = g
	}
	return g
}

// Forget lets go of the configuration of the state's proxies.
func (s *State) Forget() { s.proxies, s.gateways = map[int]*view{}, map[int]*view{} }

// gatewayIP and workloadIP number the pods of all states.
func (s *State) gatewayIP(gateway int) string   { return podIP(s.id, gateway) }
func (s *State) workloadIP(workload int) string { return podIP(s.id, 128+workload) }

// intruderIP is the address of a pod that looks like the gateway's and is not.
func (s *State) intruderIP(gateway int) string { return podIP(s.id, 64+gateway) }

// intruderAt reports whether this is such an address.
func (s *State) intruderAt(ip string) (gateway int, is bool) {
	for g := range s.Gateways {
		if s.intruderIP(g) == ip {
			return g, true
		}
	}
	return 0, false
}

// gatewayAt returns the index of the gateway with this address; -1 if none has.
func (s *State) gatewayAt(ip string) int {
	for g := range s.Gateways {
		if s.gatewayIP(g) == ip {
			return g
		}
	}
	return -1
}

func podIP(state, pod int) string {
	return netip.AddrFrom4([4]byte{10, byte(state >> 8), byte(state), byte(pod + 1)}).String()
}

// allocator hands out addresses: those that istiod's ipallocate controller
// writes into the status of ServiceEntries, and those of Services.
type allocator struct{ next netip.Addr }

func (a *allocator) take() string {
	taken := a.next
	a.next = a.next.Next()
	return taken.String()
}

func objectMeta(namespace, name string, labels map[string]string, created time.Time) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels, CreationTimestamp: metav1.NewTime(created)}
}
