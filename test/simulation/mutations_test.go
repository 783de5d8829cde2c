package simulation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// mutated is the scenario whose objects are broken: each flow, hosts that
// policies share, a port that hosts share, two namespaces, identities.
func mutated() scenario.Scenario {
	return base(
		by("p", []policy.From{from("shop", "a", "a")},
			to("web", "HTTP", 80, "h1.example", "h6.example"),
			upgraded(to("up", "HTTP", 80, "h2.example"), 443),
			to("tls", "HTTPS", 443, "h2.example", "h3.example"),
			at(to("shared", "HTTPS", 443, "h4.example", "h5.example"), 444),
			to("db", "TCP", 5432, "203.0.113.7"),
		),
		by("q", []policy.From{from("bank", "a")},
			to("web", "HTTP", 80, "h1.example"),
			at(to("tls", "HTTPS", 443, "h1.example"), 12000),
			to("db", "TCP", 5432, "203.0.113.8"),
		),
		by("r", []policy.From{from("shop", "b")},
			to("alt", "HTTP", 8080, "h1.example"),
		),
		unselectedDirect(by("s", []policy.From{from("shop", "a", "a")}, to("web", "HTTP", 80, "h7.example"))),
		unselectedDirect(by("t", []policy.From{from("shop", "b", "b")}, to("web", "HTTP", 8080, "h7.example"))),
	)
}

func unselectedDirect(p policy.Policy) policy.Policy {
	p.UnselectedWorkloads = policy.Direct
	return p
}

// mutation breaks the list of objects on purpose.
type mutation struct {
	name string
	// kind and where pick the objects that are changed; the first part of
	// where is in the namespace, the second in the text of the object.
	kind  string
	where func(body map[string]any) bool
	// change edits the spec (the whole object for a Service); drop removes
	// the object instead.
	change func(spec map[string]any)
	drop   bool
	// public exports the object to all namespaces (of its state).
	public bool
}

// The objects of a policy by their part (compiler.md, section 1.0).
func inSource(body map[string]any) bool {
	return strings.HasSuffix(namespaceOf(body), "shop") || strings.HasSuffix(namespaceOf(body), "bank")
}
func inGateway(body map[string]any) bool { return strings.HasSuffix(namespaceOf(body), "egress") }
func namespaceOf(body map[string]any) string {
	return body["metadata"].(map[string]any)["namespace"].(string)
}

func having(part func(map[string]any) bool, texts ...string) func(map[string]any) bool {
	return func(body map[string]any) bool {
		if !part(body) {
			return false
		}
		text := fmt.Sprint(body["spec"])
		for _, t := range texts {
			if !strings.Contains(text, t) {
				return false
			}
		}
		return true
	}
}

func ofPolicy(name string) func(map[string]any) bool {
	return func(body map[string]any) bool {
		labels, _ := body["metadata"].(map[string]any)["labels"].(map[string]any)
		return labels[compile.LabelPolicy] == name
	}
}

// list returns the objects of a list in a spec.
func list(spec map[string]any, path ...string) []map[string]any {
	current := []map[string]any{spec}
	for _, step := range path {
		var next []map[string]any
		for _, m := range current {
			switch v := m[step].(type) {
			case map[string]any:
				next = append(next, v)
			case []any:
				for _, item := range v {
					if m, ok := item.(map[string]any); ok {
						next = append(next, m)
					}
				}
			}
		}
		current = next
	}
	return current
}

func each(path string, edit func(map[string]any)) func(map[string]any) {
	return func(spec map[string]any) {
		for _, m := range list(spec, strings.Split(path, ".")...) {
			edit(m)
		}
	}
}

func set(key string, value any) func(map[string]any) {
	return func(m map[string]any) { m[key] = value }
}
func unset(key string) func(map[string]any) { return func(m map[string]any) { delete(m, key) } }

var mutations = []mutation{
	// User problem 1: TLS in TLS with tls routes.
	{name: "tls routes on an ISTIO_MUTUAL server", kind: "VirtualService", where: having(inGateway, "tcp:"), change: func(spec map[string]any) {
		for _, route := range list(spec, "tcp") {
			for _, m := range list(route, "match") {
				m["sniHosts"] = spec["hosts"]
			}
		}
		spec["tls"] = spec["tcp"]
		delete(spec, "tcp")
	}},
	// 2: server name of the client DestinationRule.
	{name: "no sni in the client DestinationRule", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", unset("sni"))},
	{name: "the real host as sni", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", set("sni", "h3.example"))},
	{name: "the server's hosts without the server name", kind: "Gateway", where: inGateway, change: each("servers", set("hosts", []any{"./h1.example"}))},
	// 3: where the client DestinationRule is.
	{name: "no client DestinationRule", kind: "DestinationRule", where: inSource, drop: true},
	{name: "client DestinationRule for another host", kind: "DestinationRule", where: inSource, change: set("host", "*.local.example")},
	// 4: subsets.
	{name: "a subset that is not there", kind: "DestinationRule", where: having(inSource, "subsets"), change: each("subsets", set("name", "other"))},
	{name: "no upstream DestinationRule", kind: "DestinationRule", where: inGateway, drop: true},
	// 5: ServiceEntries that do not merge.
	{name: "labels of its own on an upstream ServiceEntry", kind: "ServiceEntry", where: having(inGateway, "h1.example"), change: nil},
	{name: "labels of its own on a source ServiceEntry", kind: "ServiceEntry", where: having(inSource, "h7.example"), change: nil},
	{name: "no upstream ServiceEntry", kind: "ServiceEntry", where: inGateway, drop: true},
	{name: "upstream ServiceEntry for everybody", kind: "ServiceEntry", where: inGateway, public: true},
	{name: "source ServiceEntry for everybody", kind: "ServiceEntry", where: inSource, public: true},
	{name: "mesh VirtualService for everybody", kind: "VirtualService", where: inSource, public: true},
	// 6: TCP without an address.
	{name: "TCP without an address", kind: "ServiceEntry", where: having(inSource, "203.0.113.7"), change: unset("addresses")},
	// 7: resolution NONE at the gateway.
	{name: "resolution NONE at the gateway", kind: "ServiceEntry", where: having(inGateway, "h1.example"), change: set("resolution", "NONE")},
	{name: "the dead end at the gateway", kind: "ServiceEntry", where: having(inGateway, "h1.example"), change: set("resolution", "STATIC")},
	// 8: protocols.
	{name: "HTTP instead of HTTPS in the source namespace", kind: "ServiceEntry", where: having(inSource, "h3.example"), change: each("ports", set("protocol", "HTTP"))},
	{name: "TCP instead of HTTP in the source namespace", kind: "ServiceEntry", where: having(inSource, "h6.example"), change: each("ports", set("protocol", "TCP"))},
	{name: "another port upstream", kind: "VirtualService", where: having(inGateway, "h1.example"), change: each("http.route.destination.port", set("number", int64(443)))},
	{name: "another host upstream", kind: "VirtualService", where: having(inGateway, "h3.example"), change: each("tcp.route.destination", set("host", "h4.example"))},
	// 9: TLS origination.
	{name: "no TLS after the upgrade", kind: "DestinationRule", where: inGateway, change: each("subsets", unset("trafficPolicy"))},
	{name: "sni without names", kind: "DestinationRule", where: inGateway, change: each("subsets.trafficPolicy.portLevelSettings.tls", set("sni", "h2.example"))},
	{name: "certificate not verified", kind: "DestinationRule", where: inGateway, change: each("subsets.trafficPolicy.portLevelSettings.tls", set("insecureSkipVerify", true))},
	{name: "a CA of somebody's", kind: "DestinationRule", where: inGateway, change: each("subsets.trafficPolicy.portLevelSettings.tls", set("credentialName", "x"))},
	{name: "TLS for the plain cluster too", kind: "DestinationRule", where: inGateway, change: func(spec map[string]any) {
		spec["trafficPolicy"] = list(spec, "subsets")[0]["trafficPolicy"]
	}},
	{name: "upgrade without the subset", kind: "VirtualService", where: having(inGateway, "subset"), change: each("http.route.destination", unset("subset"))},
	// 10: the way around.
	{name: "source ServiceEntry by DNS", kind: "ServiceEntry", where: inSource, change: set("resolution", "DNS")},
	{name: "no source ServiceEntry", kind: "ServiceEntry", where: inSource, drop: true},
	{name: "match.gateways in the mesh VirtualService", kind: "VirtualService", where: having(inSource, "http:"), change: each("http.match", set("gateways", []any{"mesh"}))},
	{name: "no sourceLabels, HTTP", kind: "VirtualService", where: having(inSource, "http:"), change: each("http.match", unset("sourceLabels"))},
	{name: "no sourceLabels, TLS", kind: "VirtualService", where: having(inSource, "tls:"), change: each("tls.match", unset("sourceLabels"))},
	{name: "no sourceLabels, TCP", kind: "VirtualService", where: having(inSource, "tcp:"), change: each("tcp.match", unset("sourceLabels"))},
	{name: "a catch-all in the mesh VirtualService", kind: "VirtualService", where: having(inSource, "http:"), change: func(spec map[string]any) {
		spec["http"] = append(spec["http"].([]any), map[string]any{"route": list(spec, "http")[0]["route"]})
	}},
	{name: "no mesh VirtualService", kind: "VirtualService", where: inSource, drop: true},
	// 11 and D11: identity.
	{name: "no service accounts in the handshake", kind: "Gateway", where: inGateway, change: each("servers.tls", unset("subjectAltNames"))},
	{name: "service account of another namespace", kind: "Gateway", where: inGateway, change: each("servers.tls", set("subjectAltNames", []any{"spiffe://cluster.local/ns/x/sa/a"}))},
	{name: "nobody admitted", kind: "AuthorizationPolicy", where: having(inGateway, "principals"), drop: true},
	{name: "any principal", kind: "AuthorizationPolicy", where: having(inGateway, "principals"), change: each("rules.from.source", set("principals", []any{"*"}))},
	{name: "any server name", kind: "AuthorizationPolicy", where: having(inGateway, "principals"), change: each("rules", unset("when"))},
	{name: "no rule but no condition", kind: "AuthorizationPolicy", where: having(inGateway, "principals"), change: set("rules", []any{map[string]any{}})},
	// 12: ports.
	{name: "a Service without the port", kind: "Service", where: ofPolicy("p"), change: func(o map[string]any) {
		spec := o["spec"].(map[string]any)
		spec["ports"] = spec["ports"].([]any)[:1]
	}},
	{name: "a Service that leads to another port", kind: "Service", where: ofPolicy("p"), change: func(o map[string]any) {
		ports := list(o, "spec", "ports")
		ports[0]["targetPort"], ports[1]["targetPort"] = ports[1]["targetPort"], ports[0]["targetPort"]
	}},
	{name: "a Service that nobody sees", kind: "Service", where: ofPolicy("p"), change: func(o map[string]any) {
		o["metadata"].(map[string]any)["annotations"].(map[string]any)[compile.AnnotationExportTo] = "other"
	}},
	{name: "a Service that selects nothing", kind: "Service", where: ofPolicy("p"), change: func(o map[string]any) {
		o["spec"].(map[string]any)["selector"] = map[string]any{"istio": "other"}
	}},
	{name: "no Gateway", kind: "Gateway", where: inGateway, drop: true},
	{name: "a Gateway of other pods", kind: "Gateway", where: inGateway, change: set("selector", map[string]any{"istio": "other"})},
	{name: "another match.port at the gateway", kind: "VirtualService", where: having(inGateway, "h1.example"), change: each("http.match", set("port", int64(9)))},
	{name: "HTTP server without the real hosts", kind: "Gateway", where: having(inGateway, "h1.example"), change: each("servers", func(server map[string]any) {
		server["hosts"] = server["hosts"].([]any)[:1]
	})},
	// D6 and D7: mutual TLS.
	{name: "plaintext from the sidecar", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", func(tls map[string]any) {
		clear(tls)
		tls["mode"] = "DISABLE"
	})},
	{name: "TLS without identity from the sidecar", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", set("mode", "SIMPLE"))},
	{name: "a plaintext server", kind: "Gateway", where: having(inGateway, "HTTPS"), change: each("servers", func(server map[string]any) {
		delete(server, "tls")
		server["port"].(map[string]any)["protocol"] = "HTTP"
	})},
	// D9: two servers of one name on a port.
	{name: "one server name for two servers", kind: "Gateway", where: having(inGateway, "h4-example"), change: func(spec map[string]any) {
		servers := list(spec, "servers")
		servers[1]["hosts"] = servers[0]["hosts"]
	}},
}

func TestMutations(t *testing.T) {
	for _, registryOnly := range []bool{false, true} {
		settings := scenario.Settings{TrustDomain: "cluster.local", RegistryOnly: registryOnly}
		var names namer
		var states []state
		for i := -1; i < len(mutations); i++ {
			s := mutated()
			s.Settings = settings
			s = s.In(names.next())
			compiled, err := compilePolicies(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			objects := compiled.settled(s).objects()
			if i >= 0 {
				changed, ok := mutations[i].apply(objects)
				if !ok {
					t.Errorf("%s: changes nothing", mutations[i].name)
				}
				objects = changed
			}
			states = append(states, state{kind: settledKind, before: s, after: s, objects: objects})
		}
		r := check(t, settings, states)
		caught := make([]int, len(states))
		for _, m := range r.mismatches {
			if m.state == 0 && m.verdict.Why != "" {
				t.Errorf("nothing broken: %s", m)
			}
			caught[m.state]++
		}
		for i, m := range mutations {
			t.Logf("registry only %t, %s: %d mismatches", registryOnly, m.name, caught[i+1])
			mismatchesOf[m.name] += caught[i+1]
		}
	}
	for _, m := range mutations {
		if mismatchesOf[m.name] == 0 {
			t.Errorf("%s: not caught", m.name)
		}
	}
}

var mismatchesOf = map[string]int{}

// apply returns the objects with the mutation, and whether it changed any.
func (m mutation) apply(objects []manifest.Object) ([]manifest.Object, bool) {
	var all []manifest.Object
	changed := false
	for n, o := range objects {
		if o.Body.GetKind() != m.kind || !m.where(o.Body.Object) {
			all = append(all, o)
			continue
		}
		if m.drop {
			changed = true
			continue
		}
		before := manifest.Canonical(o.Body)
		o.Body = o.Body.DeepCopy()
		if m.public {
			prefix, _, _ := strings.Cut(o.Body.GetNamespace(), "-")
			o.Body.Object["spec"].(map[string]any)["exportTo"] = []any{prefix + "-shop", prefix + "-bank", prefix + "-egress"}
		}
		switch {
		case m.change == nil && m.public:
		case m.change == nil:
			labels := o.Body.GetLabels()
			labels["own"] = fmt.Sprint("label-", n)
			o.Body.SetLabels(labels)
		case m.kind == "Service":
			m.change(o.Body.Object)
		default:
			m.change(o.Body.Object["spec"].(map[string]any))
		}
		changed = changed || manifest.Canonical(o.Body) != before
		all = append(all, o)
	}
	return all, changed
}
