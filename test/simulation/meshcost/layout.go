package meshcost

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
	"github.com/meshegress/terraform-provider-istio/test/simulation/judge"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// Spread is how many policies there are, and in how many namespaces: as many in each.
// Each lets one workload call one host over HTTP, which the gateway upgrades to TLS.
type Spread struct {
	Policies, Namespaces int
}

// Layout makes the objects of a spread's policies.
type Layout struct {
	Name string
	// gateway is the AuthorizationPolicy mode of the gateway.
	gateway compile.Authorization
	objects func(Spread) ([]manifest.Object, error)
}

const (
	gatewayName, gatewayNamespace = "egressgateway-a", "istio-egress"
	app                           = "app"
	// bystander is the namespace of a workload that no policy names.
	bystander = "bystander"
)

// The workloads and the gateway of every measurement.
const (
	sourceIndex = iota
	bystanderIndex
)

func team(namespace int) string { return fmt.Sprintf("team-%03d", namespace) }

func host(policy int) string { return fmt.Sprintf("api-%04d.partner.example", policy) }

func (s Spread) namespace(policy int) string { return team(policy * s.Namespaces / s.Policies) }

// scenario is the mesh without policies.
func (l Layout) scenario() scenario.Scenario {
	authorization := string(l.gateway)
	return scenario.Scenario{
		Settings: scenario.Settings{TrustDomain: "cluster.local"},
		Gateways: []compile.Reference{{Name: gatewayName, Namespace: gatewayNamespace, Authorization: &authorization}},
		Workloads: []scenario.Workload{
			sourceIndex:    {Name: app, Namespace: team(0), Labels: map[string]string{app: app}, ServiceAccount: app},
			bystanderIndex: {Name: app, Namespace: bystander, Labels: map[string]string{app: app}, ServiceAccount: app},
		},
	}
}

// state is the mesh with the objects of the gateway and of the policies.
func (l Layout) state(s Spread) (*judge.State, error) {
	place := l.scenario()
	g := workload.Defaults()
	g.Name, g.Namespace, g.Authorization = gatewayName, gatewayNamespace, string(l.gateway)
	g.AccessLog = false // is no part of the comparison
	state := &judge.State{Scenario: place}
	for _, o := range workload.Objects(g, place.Mesh()) {
		if slices.Contains([]string{"Service", "AuthorizationPolicy"}, o.Body.GetKind()) {
			state.Objects = append(state.Objects, o)
		}
	}
	if s.Policies == 0 {
		return state, nil
	}
	objects, err := l.objects(s)
	state.Objects = append(state.Objects, objects...)
	return state, err
}

// Policies is what istio_egress_traffic_policy makes.
var Policies = Layout{Name: "policies", gateway: compile.AuthorizationAllowListed, objects: compiled}

func compiled(s Spread) ([]manifest.Object, error) {
	mesh := scenario.Settings{TrustDomain: "cluster.local"}.Mesh()
	account := gatewayName
	seen := map[manifest.ID]bool{}
	taken := map[int64]bool{}
	var all []manifest.Object
	for i := range s.Policies {
		p := policy.Policy{
			Name: fmt.Sprintf("p%04d", i), UnselectedWorkloads: "deny",
			ByEgressGateway: &compile.Reference{Name: gatewayName, Namespace: gatewayNamespace, ServiceAccount: &account},
			EgressRules: []policy.Rule{{
				From: []policy.From{{Namespace: s.namespace(i), WorkloadSelector: map[string]string{app: app}, ServiceAccounts: []string{app}}},
				To: []policy.To{{
					Name: "api", Hosts: []string{host(i)},
					Port:         policy.Port{Name: "http", Number: 80, Protocol: "HTTP"},
					HTTPSUpgrade: &policy.HTTPSUpgrade{Enabled: true, Port: 443},
				}},
			}},
		}
		assigned := map[string]int64{}
		for _, slot := range policy.Slots(p) {
			for port := range ports.Candidates(policy.SlotID(p, slot), func(port int64) bool { return taken[port] }) {
				taken[port] = true
				slot.Set(assigned, port)
				break
			}
		}
		objects, err := policy.Objects(p, mesh, assigned)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if !seen[o.ID()] { // policies have shared objects
				seen[o.ID()] = true
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// ByHand is the layout of Istio's task "Egress Gateways with TLS Origination", with
// mutual TLS up to the gateway: five objects for each host, in the namespace of who
// calls it, and, as there, exported to the whole mesh. The gateway checks nobody's
// identity.
//
// Source: https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway-tls-origination/
var ByHand = Layout{Name: "by hand", gateway: compile.AuthorizationNone, objects: func(s Spread) ([]manifest.Object, error) {
	var all []manifest.Object
	for i := range s.Policies {
		all = append(all, byHand(fmt.Sprintf("p%04d", i), s.namespace(i), host(i))...)
	}
	return all, nil
}}

type fields = map[string]any

func byHand(name, namespace, host string) []manifest.Object {
	service := gatewayName + "." + gatewayNamespace + ".svc.cluster.local"
	list := func(items ...any) []any { return items }
	port := func(number int64) fields { return fields{"number": number} }
	object := func(kind, name string, spec fields) manifest.Object {
		body := &unstructured.Unstructured{Object: fields{"apiVersion": "networking.istio.io/v1", "kind": kind, "spec": spec}}
		body.SetNamespace(namespace)
		body.SetName(name)
		return manifest.Object{Key: manifest.Key(kind, namespace, name), Body: body}
	}
	return []manifest.Object{
		object("ServiceEntry", name, fields{
			"hosts": list(host), "location": "MESH_EXTERNAL", "resolution": "DNS",
			"ports": list(
				fields{"number": int64(80), "name": "http", "protocol": "HTTP"},
				fields{"number": int64(443), "name": "https", "protocol": "HTTPS"},
			),
		}),
		object("Gateway", name, fields{
			"selector": fields{compile.GatewayLabel: gatewayName},
			"servers": list(fields{
				"port":  fields{"number": int64(80), "name": "https-port-for-tls-origination", "protocol": "HTTPS"},
				"hosts": list(host), "tls": fields{"mode": "ISTIO_MUTUAL"},
			}),
		}),
		object("DestinationRule", "egressgateway-for-"+name, fields{
			"host": service,
			"subsets": list(fields{"name": name, "trafficPolicy": fields{
				"loadBalancer":      fields{"simple": "ROUND_ROBIN"},
				"portLevelSettings": list(fields{"port": port(80), "tls": fields{"mode": "ISTIO_MUTUAL", "sni": host}}),
			}}),
		}),
		object("VirtualService", "direct-"+name+"-through-egress-gateway", fields{
			"hosts": list(host), "gateways": list(name, "mesh"),
			"http": list(
				fields{
					"match": list(fields{"gateways": list("mesh"), "port": int64(80)}),
					"route": list(fields{"destination": fields{"host": service, "subset": name, "port": port(80)}, "weight": int64(100)}),
				},
				fields{
					"match": list(fields{"gateways": list(name), "port": int64(80)}),
					"route": list(fields{"destination": fields{"host": host, "port": port(443)}, "weight": int64(100)}),
				},
			),
		}),
		object("DestinationRule", "originate-tls-for-"+name, fields{
			"host": host,
			"trafficPolicy": fields{
				"loadBalancer":      fields{"simple": "ROUND_ROBIN"},
				"portLevelSettings": list(fields{"port": port(443), "tls": fields{"mode": "SIMPLE", "sni": host}}),
			},
		}),
	}
}
