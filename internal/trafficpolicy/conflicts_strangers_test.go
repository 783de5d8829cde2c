package trafficpolicy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// guarded is a policy with something for each kind of conflict: routes, a
// rule of its own, a port, a credential.
func (s scene) guarded() string {
	return s.policy(fmt.Sprintf(`
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = { app = "a" } }]
    to = [
      { name = "web", hosts = ["www.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 2443 } },
      { name = "api", hosts = ["api.example.com"], port = { name = "http", number = 80, protocol = "HTTP" },
        https_upgrade = { enabled = true, port = 443 }, tls = { mode = "SIMPLE", credential_name = "partner" } },
      { name = "db", hosts = ["db.example.com"], addresses = ["203.0.113.7"], port = { name = "tcp", number = 5432, protocol = "TCP" } },
    ]
  }]`, s.shop))
}

const partner = `
apiVersion: v1
kind: Secret
metadata: {name: partner}
stringData: {ca.crt: authority}
`

// strangers are the objects of others that a policy may meet. hit collides
// with scene.guarded, miss is as near as can be and does not.
var strangers = map[string]struct {
	// in is the namespace: egress, shop or other.
	in, hit, miss string
	exit          int
	wanted        []string
}{
	"VirtualService": {
		in: "shop",
		hit: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: by-hand}
spec:
  hosts: [www.example.com]
  tls: [{match: [{port: 443, sniHosts: [www.example.com]}], route: [{destination: {host: www.example.com}}]}]
`,
		miss: `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: by-hand}
spec:
  hosts: [www.example.com]
  tls: [{match: [{port: 443, sniHosts: [www.example.com], sourceLabels: {app: b}}], route: [{destination: {host: www.example.com}}]}]
`,
		exit: acctest.Failed, wanted: []string{"VirtualService $ns/by-hand (field manager kubectl)", `hosts = ["www.example.com"]`},
	},
	"ServiceEntry": {
		in: "shop",
		hit: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: by-hand}
spec: {hosts: [api.example.com], location: MESH_EXTERNAL, resolution: DNS, ports: [{name: http, number: 80, protocol: HTTP}]}
`,
		miss: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: by-hand}
spec: {hosts: [web.example.com], location: MESH_EXTERNAL, resolution: DNS, ports: [{name: http, number: 80, protocol: HTTP}]}
`,
		exit: acctest.Failed, wanted: []string{"ServiceEntry $ns/by-hand (field manager kubectl)", `hosts = ["api.example.com"]`},
	},
	"DestinationRule": {
		in: "egress",
		hit: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: by-hand}
spec: {host: api.example.com, workloadSelector: {matchLabels: {istio: gw}}, trafficPolicy: {tls: {mode: DISABLE}}}
`,
		miss: `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: by-hand}
spec: {host: web.example.com, trafficPolicy: {tls: {mode: DISABLE}}}
`,
		exit: acctest.Failed, wanted: []string{"DestinationRule $ns/by-hand (field manager kubectl)", "https_upgrade"},
	},
	"Gateway": {
		in: "other",
		hit: `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: by-hand}
spec: {selector: {istio: gw}, servers: [{hosts: ["*"], port: {name: tls, number: 2443, protocol: TLS}, tls: {mode: PASSTHROUGH}}]}
`,
		miss: `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: by-hand}
spec: {selector: {istio: ingress}, servers: [{hosts: ["*"], port: {name: tls, number: 2443, protocol: TLS}, tls: {mode: PASSTHROUGH}}]}
`,
		exit: acctest.Failed, wanted: []string{"Gateway $ns/by-hand (field manager kubectl)", "opens port 2443", "by_egress_gateway = { port = 2443 }"},
	},
	"Service": {
		in: "egress",
		hit: `
apiVersion: v1
kind: Service
metadata: {name: by-hand}
spec: {selector: {istio: gw}, ports: [{name: tls, port: 2443, targetPort: 8443}]}
`,
		miss: `
apiVersion: v1
kind: Service
metadata: {name: by-hand}
spec: {selector: {istio: gw}, ports: [{name: tls, port: 2443, targetPort: 2443}]}
`,
		exit: acctest.Failed, wanted: []string{"Service $ns/by-hand (field manager kubectl)", "2443 to 8443"},
	},
	"AuthorizationPolicy DENY": {
		in: "egress",
		hit: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: by-hand}
spec: {selector: {matchLabels: {istio: gw}}, action: DENY, rules: [{}]}
`,
		miss: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: by-hand}
spec: {selector: {matchLabels: {istio: gw}}, action: DENY, rules: [{to: [{operation: {ports: ["9443"]}}], from: [{source: {namespaces: [x]}}]}]}
`,
		exit: acctest.Failed, wanted: []string{"AuthorizationPolicy $ns/by-hand (field manager kubectl)", "spec.action DENY"},
	},
	"AuthorizationPolicy CUSTOM": {
		in: "egress",
		hit: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: by-hand-custom}
spec: {selector: {matchLabels: {istio: gw}}, action: CUSTOM, provider: {name: ask}, rules: [{}]}
`,
		miss: `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: by-hand-custom}
spec: {selector: {matchLabels: {istio: ingress}}, action: CUSTOM, provider: {name: ask}, rules: [{}]}
`,
		exit: acctest.HasChanges, wanted: []string{"AuthorizationPolicy $ns/by-hand-custom (field manager kubectl)", "spec.action CUSTOM"},
	},
	"Sidecar": {
		in: "shop",
		hit: `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec: {egress: [{hosts: ["istio-system/*"]}]}
`,
		miss: `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec: {egress: [{hosts: ["istio-system/*", "./*"]}]}
`,
		exit: acctest.HasChanges, wanted: []string{"Sidecar $ns/default (field manager kubectl)", "does not import", "spec.egress[].hosts"},
	},
}

// Whatever in the cluster would take a policy's calls away or stand in its way
// is named in the plan, with who holds it and what to do. What only looks like
// it is in nobody's way.
func TestConflictsWithStrangers(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop"), other: f.Namespace("other")}
	namespaces := map[string]string{"egress": s.egress, "shop": s.shop, "other": s.other}
	w := f.Workspace(f.CLI, f.Config(s.guarded()))

	w.Expect(acctest.HasChanges, acctest.Plan, "Secret "+s.egress+"/partner", `credential_name = "partner"`)
	f.Apply(s.egress, strings.Replace(partner, "ca.crt", "tls.crt", 1))
	for exit, args := range map[int][]string{acctest.HasChanges: acctest.Plan, acctest.Failed: acctest.Apply} {
		w.Expect(exit, args, "ca.crt", "Secret "+s.egress+"/partner", `credential_name = "partner"`)
	}
	f.Apply(s.egress, partner)

	for name, c := range strangers {
		t.Logf("%s", name)
		made := f.Apply(namespaces[c.in], c.hit)
		var wanted []string
		for _, text := range c.wanted {
			wanted = append(wanted, strings.ReplaceAll(text, "$ns", namespaces[c.in]))
		}
		w.Expect(c.exit, acctest.Plan, wanted...)
		if c.exit == acctest.Failed {
			w.Expect(acctest.Failed, acctest.Apply, wanted...)
		}
		f.Delete(made[0].GetKind(), made[0].GetNamespace(), made[0].GetName())
	}
	if ids := f.ManagedIDs(); len(ids) > 0 {
		t.Fatalf("objects were written: %v", ids)
	}

	for _, c := range strangers {
		f.Apply(namespaces[c.in], c.miss)
	}
	if result := w.Expect(0, acctest.Apply); strings.Contains(result.Output, "by-hand") {
		t.Errorf("a near miss is reported:\n%s", result.Output)
	}
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
}
