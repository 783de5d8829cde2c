package simulation

import (
	"flag"
	"fmt"
	"os"
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

// The rules of the compiler that mutations break, as the table of them says it.
const (
	tlsInTLS    = "TLS that the gateway has ended is TCP to it, never TLS"
	serverName  = "the server name comes from one place: sidecar, server and route agree"
	grantName   = "the server name is that of the grant"
	clientRule  = "the sidecars' DestinationRule is in their namespace, for the policy's own Service"
	subsets     = "a route names subsets that are there, and only where they are needed"
	merging     = "ServiceEntries merge with those of other policies, and stay in their namespace"
	addresses   = "TCP has an address of its own"
	upstream    = "the gateway finds the host by DNS or address"
	protocols   = "the protocol of the entry is that of its ports, up to the upstream"
	origination = "an upgrade is TLS, verified, by the gateway alone, and only for its entry"
	deadEnd     = "the source-side ServiceEntry is a dead end, or passable, as the policy says"
	meshRoute   = "only selected workloads are routed, and nobody else is captured"
	itself      = "sidecars know the gateway by its service account"
	identity    = "service accounts in the handshake, namespaces by AuthorizationPolicy"
	ownService  = "one Service for each policy: its ports, its pods, its namespaces"
	ownGateway  = "the Gateway opens the container port, on the gateway's pods"
	mutualTLS   = "sidecar and gateway speak mutual TLS"
	sharedPort  = "servers that share a port have names of their own"
)

// mutation breaks the list of objects on purpose.
type mutation struct {
	rule, name string
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
	{rule: tlsInTLS, name: "tls routes on an ISTIO_MUTUAL server", kind: "VirtualService", where: having(inGateway, "tcp:"), change: func(spec map[string]any) {
		for _, route := range list(spec, "tcp") {
			for _, m := range list(route, "match") {
				m["sniHosts"] = spec["hosts"]
			}
		}
		spec["tls"] = spec["tcp"]
		delete(spec, "tcp")
	}},
	{rule: serverName, name: "no sni in the client DestinationRule", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", unset("sni"))},
	{rule: grantName, name: "the real host as sni", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", set("sni", "h3.example"))},
	{rule: grantName, name: "the server's hosts without the server name", kind: "Gateway", where: inGateway, change: each("servers", set("hosts", []any{"./h1.example"}))},
	{rule: clientRule, name: "no client DestinationRule", kind: "DestinationRule", where: inSource, drop: true},
	{rule: clientRule, name: "client DestinationRule for another host", kind: "DestinationRule", where: inSource, change: set("host", "*.local.example")},
	{rule: subsets, name: "a subset that is not there", kind: "DestinationRule", where: having(inSource, "subsets"), change: each("subsets", set("name", "other"))},
	{rule: subsets, name: "no upstream DestinationRule", kind: "DestinationRule", where: inGateway, drop: true},
	{rule: merging, name: "labels of its own on an upstream ServiceEntry", kind: "ServiceEntry", where: having(inGateway, "h1.example"), change: nil},
	{rule: merging, name: "labels of its own on a source ServiceEntry", kind: "ServiceEntry", where: having(inSource, "h7.example"), change: nil},
	{rule: merging, name: "no upstream ServiceEntry", kind: "ServiceEntry", where: inGateway, drop: true},
	{rule: merging, name: "upstream ServiceEntry for everybody", kind: "ServiceEntry", where: inGateway, public: true},
	{rule: merging, name: "source ServiceEntry for everybody", kind: "ServiceEntry", where: inSource, public: true},
	{rule: merging, name: "mesh VirtualService for everybody", kind: "VirtualService", where: inSource, public: true},
	{rule: addresses, name: "TCP without an address", kind: "ServiceEntry", where: having(inSource, "203.0.113.7"), change: unset("addresses")},
	{rule: upstream, name: "resolution NONE at the gateway", kind: "ServiceEntry", where: having(inGateway, "h1.example"), change: set("resolution", "NONE")},
	{rule: upstream, name: "the dead end at the gateway", kind: "ServiceEntry", where: having(inGateway, "h1.example"), change: set("resolution", "STATIC")},
	{rule: protocols, name: "HTTP instead of HTTPS in the source namespace", kind: "ServiceEntry", where: having(inSource, "h3.example"), change: each("ports", set("protocol", "HTTP"))},
	{rule: protocols, name: "TCP instead of HTTP in the source namespace", kind: "ServiceEntry", where: having(inSource, "h6.example"), change: each("ports", set("protocol", "TCP"))},
	{rule: protocols, name: "another port upstream", kind: "VirtualService", where: having(inGateway, "h1.example"), change: each("http.route.destination.port", set("number", int64(443)))},
	{rule: protocols, name: "another host upstream", kind: "VirtualService", where: having(inGateway, "h3.example"), change: each("tcp.route.destination", set("host", "h4.example"))},
	{rule: origination, name: "no TLS after the upgrade", kind: "DestinationRule", where: inGateway, change: each("subsets", unset("trafficPolicy"))},
	{rule: origination, name: "sni without names", kind: "DestinationRule", where: inGateway, change: each("subsets.trafficPolicy.portLevelSettings.tls", set("sni", "h2.example"))},
	{rule: origination, name: "certificate not verified", kind: "DestinationRule", where: inGateway, change: each("subsets.trafficPolicy.portLevelSettings.tls", set("insecureSkipVerify", true))},
	{rule: origination, name: "a CA of somebody's", kind: "DestinationRule", where: inGateway, change: each("subsets.trafficPolicy.portLevelSettings.tls", set("credentialName", "x"))},
	{rule: origination, name: "TLS for the plain cluster too", kind: "DestinationRule", where: inGateway, change: func(spec map[string]any) {
		spec["trafficPolicy"] = list(spec, "subsets")[0]["trafficPolicy"]
	}},
	{rule: origination, name: "upgrade without the subset", kind: "VirtualService", where: having(inGateway, "subset"), change: each("http.route.destination", unset("subset"))},
	{rule: deadEnd, name: "source ServiceEntry by DNS", kind: "ServiceEntry", where: inSource, change: set("resolution", "DNS")},
	{rule: deadEnd, name: "no source ServiceEntry", kind: "ServiceEntry", where: inSource, drop: true},
	{rule: meshRoute, name: "match.gateways in the mesh VirtualService", kind: "VirtualService", where: having(inSource, "http:"), change: each("http.match", set("gateways", []any{"mesh"}))},
	{rule: meshRoute, name: "no sourceLabels, HTTP", kind: "VirtualService", where: having(inSource, "http:"), change: each("http.match", unset("sourceLabels"))},
	{rule: meshRoute, name: "no sourceLabels, TLS", kind: "VirtualService", where: having(inSource, "tls:"), change: each("tls.match", unset("sourceLabels"))},
	{rule: meshRoute, name: "no sourceLabels, TCP", kind: "VirtualService", where: having(inSource, "tcp:"), change: each("tcp.match", unset("sourceLabels"))},
	{rule: meshRoute, name: "a catch-all in the mesh VirtualService", kind: "VirtualService", where: having(inSource, "http:"), change: func(spec map[string]any) {
		spec["http"] = append(spec["http"].([]any), map[string]any{"route": list(spec, "http")[0]["route"]})
	}},
	{rule: meshRoute, name: "no mesh VirtualService", kind: "VirtualService", where: inSource, drop: true},
	{rule: identity, name: "no service accounts in the handshake", kind: "Gateway", where: inGateway, change: each("servers.tls", unset("subjectAltNames"))},
	{rule: identity, name: "service account of another namespace", kind: "Gateway", where: inGateway, change: each("servers.tls", set("subjectAltNames", []any{"spiffe://cluster.local/ns/x/sa/a"}))},
	{rule: identity, name: "nobody admitted", kind: "AuthorizationPolicy", where: having(inGateway, "principals"), drop: true},
	{rule: identity, name: "any principal", kind: "AuthorizationPolicy", where: having(inGateway, "principals"), change: each("rules.from.source", set("principals", []any{"*"}))},
	{rule: identity, name: "any server name", kind: "AuthorizationPolicy", where: having(inGateway, "principals"), change: each("rules", unset("when"))},
	{rule: identity, name: "no rule but no condition", kind: "AuthorizationPolicy", where: having(inGateway, "principals"), change: set("rules", []any{map[string]any{}})},
	{rule: itself, name: "the gateway may be anybody", kind: "DestinationRule", where: having(inSource, "spiffe:"), change: each("trafficPolicy.portLevelSettings.tls", unset("subjectAltNames"))},
	{rule: itself, name: "the gateway has another account", kind: "DestinationRule", where: having(inSource, "spiffe:"), change: each("trafficPolicy.portLevelSettings.tls", set("subjectAltNames", []any{"spiffe://cluster.local/ns/egress/sa/x"}))},
	{rule: ownService, name: "a Service without the port", kind: "Service", where: ofPolicy("p"), change: func(o map[string]any) {
		spec := o["spec"].(map[string]any)
		spec["ports"] = spec["ports"].([]any)[:1]
	}},
	{rule: ownService, name: "a Service that leads to another port", kind: "Service", where: ofPolicy("p"), change: func(o map[string]any) {
		ports := list(o, "spec", "ports")
		ports[0]["targetPort"], ports[1]["targetPort"] = ports[1]["targetPort"], ports[0]["targetPort"]
	}},
	{rule: ownService, name: "a Service that nobody sees", kind: "Service", where: ofPolicy("p"), change: func(o map[string]any) {
		o["metadata"].(map[string]any)["annotations"].(map[string]any)[compile.AnnotationExportTo] = "other"
	}},
	{rule: ownService, name: "a Service that selects nothing", kind: "Service", where: ofPolicy("p"), change: func(o map[string]any) {
		o["spec"].(map[string]any)["selector"] = map[string]any{"istio": "other"}
	}},
	{rule: ownGateway, name: "no Gateway", kind: "Gateway", where: inGateway, drop: true},
	{rule: ownGateway, name: "a Gateway of other pods", kind: "Gateway", where: inGateway, change: set("selector", map[string]any{"istio": "other"})},
	{rule: ownGateway, name: "another match.port at the gateway", kind: "VirtualService", where: having(inGateway, "h1.example"), change: each("http.match", set("port", int64(9)))},
	{rule: ownGateway, name: "HTTP server without the real hosts", kind: "Gateway", where: having(inGateway, "h1.example"), change: each("servers", func(server map[string]any) {
		server["hosts"] = server["hosts"].([]any)[:1]
	})},
	{rule: mutualTLS, name: "plaintext from the sidecar", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", func(tls map[string]any) {
		clear(tls)
		tls["mode"] = "DISABLE"
	})},
	{rule: mutualTLS, name: "TLS without identity from the sidecar", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", set("mode", "SIMPLE"))},
	{rule: mutualTLS, name: "a plaintext server", kind: "Gateway", where: having(inGateway, "HTTPS"), change: each("servers", func(server map[string]any) {
		delete(server, "tls")
		server["port"].(map[string]any)["protocol"] = "HTTP"
	})},
	{rule: sharedPort, name: "one server name for two servers", kind: "Gateway", where: having(inGateway, "h4-example"), change: func(spec map[string]any) {
		servers := list(spec, "servers")
		servers[1]["hosts"] = servers[0]["hosts"]
	}},
	{rule: ownGateway, name: "the Service's port as that of the server", kind: "Gateway", where: having(inGateway, "h4-example"), change: each("servers.port", set("number", int64(444)))},
	{rule: deadEnd, name: "a dead end where everybody may go directly", kind: "ServiceEntry", where: having(inSource, "h7.example"), change: set("resolution", "STATIC")},
	{rule: identity, name: "no AuthorizationPolicy at all", kind: "AuthorizationPolicy", where: inGateway, drop: true},
	{rule: sharedPort, name: "the subsets of a port change their server names", kind: "DestinationRule", where: having(inSource, "subsets"), change: func(spec map[string]any) {
		subsets := list(spec, "subsets")
		subsets[0]["name"], subsets[1]["name"] = subsets[1]["name"], subsets[0]["name"]
	}},
	{rule: grantName, name: "the server name of another namespace's grant", kind: "DestinationRule", where: inSource, change: each("trafficPolicy.portLevelSettings.tls", func(tls map[string]any) {
		tls["sni"] = strings.NewReplacer("-shop.", "-bank.", "-bank.", "-shop.").Replace(tls["sni"].(string))
	})},
}

// table is what TestMutations found: which rule each mutation breaks, and in
// which mesh that is seen.
const table = "testdata/mutations.md"

var rewrite = flag.Bool("update", false, "whether the table of mutations is written anew")

func TestMutations(t *testing.T) {
	caught := make([][2]bool, len(mutations))
	for mode, registryOnly := range []bool{false, true} {
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
		for _, m := range check(t, settings, states).mismatches {
			if m.state == 0 {
				t.Errorf("nothing broken: %s", m)
				continue
			}
			caught[m.state-1][mode] = true
		}
	}
	text := "# What the proof catches\n\nEach line breaks the objects of five policies in one way (`TestMutations`, which also writes this table: `-update`).\n\n" +
		"| rule | broken | ALLOW_ANY | REGISTRY_ONLY |\n|---|---|---|---|\n"
	answer := map[bool]string{true: "caught", false: "no call differs"}
	for i, m := range mutations {
		if !caught[i][0] && !caught[i][1] {
			t.Errorf("%s: not caught", m.name)
		}
		text += fmt.Sprintf("| %s | %s | %s | %s |\n", m.rule, m.name, answer[caught[i][0]], answer[caught[i][1]])
	}
	if *rewrite {
		if err := os.WriteFile(table, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if committed, err := os.ReadFile(table); err != nil || string(committed) != text {
		t.Errorf("%s is not what was found (-update writes it): %v", table, err)
	}
}

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
