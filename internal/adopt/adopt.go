package adopt

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// Options say what the objects do not.
type Options struct {
	// SourceNamespaces are those from which a host is called that every
	// namespace may call: a policy names its sources.
	SourceNamespaces []string
	// GatewayNamespace is where new gateways go.
	GatewayNamespace string
	// RootNamespace is Istio's.
	RootNamespace string
	// TrustDomain is that of the mesh.
	TrustDomain string
	// DefaultNamespace is that of objects that name none.
	DefaultNamespace string
}

// Result is what the objects become.
type Result struct {
	Gateways []Gateway
	Policies []Policy
	Outbound []Outbound
	Findings []Finding
	// Owned counts objects that this provider made, Others those that have
	// nothing to do with egress.
	Owned, Others int
}

// Gateway is a gateway that takes the place of a hand-written one.
type Gateway struct {
	Intent workload.Gateway
	// InPlaceOf are the objects whose work it does, as "Kind namespace/name".
	InPlaceOf []string
}

// Policy is an egress traffic policy that takes the place of objects.
type Policy struct {
	Intent    policy.Policy
	InPlaceOf []string
}

// Outbound is an outbound traffic policy that says what an object says.
type Outbound struct {
	Intent outbound.Policy
	From   string
}

// The kinds that are read.
const (
	kindServiceEntry        = "ServiceEntry"
	kindVirtualService      = "VirtualService"
	kindGateway             = "Gateway"
	kindDestinationRule     = "DestinationRule"
	kindSidecar             = "Sidecar"
	kindAuthorizationPolicy = "AuthorizationPolicy"
	kindService             = "Service"
	kindDeployment          = "Deployment"
	kindConfigMap           = "ConfigMap"
)

// world is all that is known of a mesh.
type world struct {
	options  Options
	report   *report
	objects  []*object
	entries  []*serviceEntry
	virtuals []*virtualService
	gateways []*gateway
	rules    []*destinationRule
	authz    []*authorizationPolicy
	sidecars []*sidecar
	services []*service
	workload []*deployment
	configs  []*object
	defaults defaults
	// failing are ways that nobody gets through today.
	failing map[string]bool
}

// Adopt turns hand-written objects into policies with the same grants. The
// nodes are Kubernetes objects; kinds that are of no interest are counted.
func Adopt(nodes []*yaml.Node, options Options) Result {
	w := &world{options: options, report: &report{}, failing: map[string]bool{}}
	var result Result
	for _, node := range nodes {
		if ours(node) {
			result.Owned++
			continue
		}
		w.objects = append(w.objects, readObject(node, options.DefaultNamespace))
	}
	w.defaults = w.readDefaults()
	for _, o := range w.objects {
		w.read(o)
	}
	w.sort()

	flows := w.flows()
	result.Gateways = w.newGateways(flows)
	result.Policies = w.policies(flows)
	result.Outbound = w.outbound()
	w.idle()
	for _, o := range w.objects {
		if !o.egress {
			result.Others++
		}
	}
	result.Findings = w.report.sorted()
	return result
}

// read sorts an object into its kind.
func (w *world) read(o *object) {
	switch o.kind {
	case kindServiceEntry:
		w.entries = append(w.entries, readServiceEntry(o, w.defaults.services))
	case kindVirtualService:
		w.virtuals = append(w.virtuals, readVirtualService(o, w.defaults.virtuals))
	case kindGateway:
		w.gateways = append(w.gateways, readGateway(o))
	case kindDestinationRule:
		w.rules = append(w.rules, readDestinationRule(o, w.defaults.rules))
	case kindSidecar:
		w.sidecars = append(w.sidecars, readSidecar(o))
	case kindAuthorizationPolicy:
		w.authz = append(w.authz, readAuthorizationPolicy(o, append(w.defaults.trustDomains, w.options.TrustDomain, anyTrustDomain)))
	case kindService:
		w.services = append(w.services, readService(o))
	case kindDeployment:
		w.workload = append(w.workload, readDeployment(o))
	case kindConfigMap:
		w.configs = append(w.configs, o)
	}
}

// sort brings the objects into Istio's order, in which the first wins.
func (w *world) sort() {
	slices.SortStableFunc(w.entries, func(a, b *serviceEntry) int { return older(a.object, b.object) })
	slices.SortStableFunc(w.virtuals, func(a, b *virtualService) int { return older(a.object, b.object) })
	slices.SortStableFunc(w.gateways, func(a, b *gateway) int { return older(a.object, b.object) })
	slices.SortStableFunc(w.rules, func(a, b *destinationRule) int { return older(a.object, b.object) })
	slices.SortStableFunc(w.sidecars, func(a, b *sidecar) int { return older(a.object, b.object) })
}

// mesh are the facts against which intents are validated.
func (w *world) mesh() compile.Mesh {
	return compile.Mesh{RootNamespace: w.options.RootNamespace, ClusterDomain: "cluster.local"}
}

// outbound returns the modes that are said.
func (w *world) outbound() []Outbound {
	var all []Outbound
	add := func(o *object, intent *outbound.Policy) {
		if intent != nil {
			o.egress = true
			all = append(all, Outbound{Intent: *intent, From: o.id()})
		}
	}
	for _, o := range w.configs {
		add(o, readMesh(o, w.report))
	}
	for _, sc := range w.sidecars {
		add(sc.object, sc.policy(w.report))
	}
	return all
}

// idle reports parts of egress objects that nothing goes through, and what is
// wrong with such objects as a whole.
func (w *world) idle() {
	for _, o := range w.objects {
		if !o.egress {
			continue
		}
		for _, p := range o.parts {
			if p.used || p == o.head {
				continue
			}
			if p.idle != "" {
				w.report.add(LeftOut, o, p.at, "%s", p.idle)
			}
		}
	}
}

// goThrough marks parts, and the objects they belong to, as a way out, and
// reports the settings that are lost on it.
func (w *world) goThrough(parts ...*part) {
	for _, p := range parts {
		for _, each := range []*part{p.head, p} {
			each.used, each.egress = true, true
			for _, lost := range each.lost {
				w.report.put(each.finding(LeftOut, lost))
			}
		}
	}
}
