package trafficpolicy_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
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

// calls is a policy of a name, of workloads with a label, for hosts.
func (s scene) calls(name, app string, hosts string, more ...string) string {
	return s.named(name, name, append(more, fmt.Sprintf(`
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = { app = %q } }]
    to   = [{ name = "web", hosts = [%s], port = { name = "https", number = 443, protocol = "HTTPS" } }]
  }]`, s.shop, app, hosts))...)
}

// Two policies for the same calls: of another workspace a warning in the plan,
// for it may give way, and an error before the first write; of the same run an
// error in the plan. What changes hands in order is no conflict.
func TestConflictsWithPolicies(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	other := f.Workspace(f.CLI, f.Config(s.calls("payments", "a", `"www.example.com"`)))
	other.Expect(0, acctest.Apply)
	another := f.Workspace(f.CLI, f.Config(s.calls("orders", "a", `"www.example.com"`)))
	another.Expect(acctest.HasChanges, acctest.Plan, "Warning: ", "(istio_egress_traffic_policy "+s.egress+"/payments)", "depends_on")

	var mark testbed.Mark
	nothingWritten := func() {
		if writes := f.RequestsSince(mark).Writes(); len(writes) > 0 {
			t.Errorf("written in spite of the conflict:\n%s", writes)
		}
	}
	waits := `depends_on = [istio_egress_traffic_policy.orders]`
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		Steps: []resource.TestStep{
			{
				PreConfig:   func() { mark = f.Mark() },
				Config:      f.Config(s.calls("orders", "a", `"www.example.com"`)),
				ExpectError: words("(istio_egress_traffic_policy " + s.egress + "/payments)"),
			},
			{
				PreConfig: nothingWritten,
				Config:    f.Config(s.calls("orders", "b", `"www.example.com"`)),
			},
			{
				// An update into the same conflict.
				PreConfig:   func() { mark = f.Mark() },
				Config:      f.Config(s.calls("orders", "a", `"www.example.com"`)),
				ExpectError: words("(istio_egress_traffic_policy " + s.egress + "/payments)"),
			},
			{
				PreConfig:   func() { nothingWritten(); mark = f.Mark() },
				Config:      f.Config(s.calls("orders", "b", `"www.example.com"`) + s.calls("billing", "b", `"www.example.com"`)),
				ExpectError: words("As this run plans it, VirtualService " + s.shop + "/"),
			},
			{
				PreConfig: nothingWritten,
				Config: f.Config(s.calls("orders", "b", `"www.example.com", "api.example.com"`) +
					s.calls("billing", "b", `"db.example.com"`)),
			},
			{
				// A host changes hands in one run.
				Config: f.Config(s.calls("orders", "b", `"www.example.com"`) +
					s.calls("billing", "b", `"db.example.com", "api.example.com"`, waits)),
			},
			{
				// So it does to a policy that is made for it.
				Config: f.Config(s.calls("orders", "b", `"www.example.com"`) +
					s.calls("billing", "b", `"db.example.com"`, waits) +
					s.calls("reports", "b", `"api.example.com"`, `depends_on = [istio_egress_traffic_policy.billing]`)),
			},
			{
				// And from one that is replaced by it.
				Config: f.Config(s.calls("orders", "b", `"www.example.com"`) +
					s.calls("billing", "b", `"db.example.com"`, waits) +
					strings.Replace(s.calls("reports", "b", `"api.example.com"`), `= "reports"`, `= "statements"`, 1)),
			},
		},
	})
	other.Expect(acctest.NoChanges, acctest.Plan)
	other.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// What two policies share may change in one run: whichever is written first
// meets what the other one had before.
func TestPoliciesChangeWhatTheyShare(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	database := func(name, app, address string) string {
		return s.named(name, name, fmt.Sprintf(`
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = { app = %q } }]
    to   = [{ name = "db", hosts = ["db.example.com"], addresses = [%q], port = { name = "tcp", number = 5432, protocol = "TCP" } }]
  }]`, s.shop, app, address))
	}
	both := func(address string) string {
		return f.Config(database("orders", "a", address) + database("billing", "b", address))
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: both("203.0.113.7")},
			{Config: both("203.0.113.8")},
			{
				Config:      f.Config(database("orders", "a", "203.0.113.8") + database("billing", "b", "203.0.113.9")),
				ExpectError: words("As this run plans it, ServiceEntry " + s.shop + "/"),
			},
		},
	})
}

// A policy that is replaced is no conflict of its successor's: neither where
// the old one goes first, nor where it goes last. What else is in the way of
// the successor is said.
func TestNoConflictWithPredecessor(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	w := f.Workspace(f.CLI, f.Config(s.calls("payments", "a", `"www.example.com"`)))
	w.Expect(0, acctest.Apply)
	next := func(hcl string) {
		t.Helper()
		w.Write("main.tf", f.Config(hcl))
		said := w.Expect(acctest.HasChanges, acctest.Plan, "must be replaced").Output + w.Expect(0, acctest.Apply).Output
		if strings.Contains(acctest.Unwrap(said), "fails with nothing written") {
			t.Errorf("a policy is in its own way:\n%s", said)
		}
		w.Expect(acctest.NoChanges, acctest.Plan)
	}
	next(strings.Replace(s.calls("payments", "a", `"www.example.com"`), `= "payments"`, `= "orders"`, 1))
	stranger := f.Apply(s.shop, strangers["Sidecar"].hit)[0]
	w.Write("main.tf", f.Config(s.calls("payments", "a", `"www.example.com"`)))
	w.Expect(acctest.HasChanges, acctest.Plan, "must be replaced", "Sidecar "+s.shop+"/default")
	f.Delete("Sidecar", s.shop, stranger.GetName())
	s.egress = f.GatewayNamespace("elsewhere")
	next(strings.Replace(s.calls("payments", "a", `"www.example.com"`, "  lifecycle { create_before_destroy = true }"), `= "payments"`, `= "orders"`, 1))
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// Without a cluster the policies of a run are compared all the same, and one
// note for all of them says what was not.
func TestConflictsOffline(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: "egress", shop: "shop"}
	nowhere := acctest.WithAttribute("host", strconv.Quote("https://127.0.0.1:1"))
	w := f.Workspace(f.CLI, f.Config(s.calls("orders", "a", `"www.example.com"`)+s.calls("billing", "a", `"www.example.com"`), nowhere))
	w.Expect(acctest.Failed, acctest.Plan, "As this run plans it", "egress/")
	// Istio selects pods of all namespaces: two gateways of one name share their ports.
	port := func(s scene, name string) string {
		return strings.Replace(s.calls(name, "a", strconv.Quote(name+".example.com")), `"HTTPS" }`, `"HTTPS" }, by_egress_gateway = { port = 2443 }`, 1)
	}
	w.Write("main.tf", f.Config(port(s, "orders")+port(scene{egress: "elsewhere", shop: "shop"}, "billing"), nowhere))
	w.Expect(acctest.Failed, acctest.Plan, "opens port 2443")
	w.Write("main.tf", f.Config(s.calls("orders", "a", `"www.example.com"`)+s.calls("billing", "b", `"www.example.com"`), nowhere))
	result := w.Expect(acctest.HasChanges, acctest.Plan, "Conflicts with what is in the cluster show at apply only")
	if n := strings.Count(result.Output, "the plan is made without looking at it"); n != 1 {
		t.Errorf("%d notes:\n%s", n, result.Output)
	}
}

// What the credentials may not look at is named once, and is no failure.
func TestConflictsWithoutPermission(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.Namespace("egress"), shop: f.Namespace("shop")}
	f.Apply(s.egress, strings.NewReplacer("$ns", s.egress).Replace(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: narrow}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: narrow-$ns}
rules:
  - apiGroups: [""]
    resources: [services]
    verbs: [get, list, create, patch, update, delete]
  - apiGroups: [networking.istio.io]
    resources: [gateways, serviceentries, virtualservices, destinationrules]
    verbs: [get, list, create, patch, update, delete]
  - apiGroups: [security.istio.io]
    resources: [authorizationpolicies]
    verbs: [get, list, create, patch, update, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: narrow-$ns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: narrow-$ns}
subjects: [{kind: ServiceAccount, name: narrow, namespace: $ns}]
`))
	token, err := f.Kube.CoreV1().ServiceAccounts(s.egress).CreateToken(t.Context(), "narrow", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	narrow := acctest.WithAttribute("token", strconv.Quote(token.Status.Token))
	w := f.Workspace(f.CLI, f.Config(s.guarded()+s.calls("orders", "b", `"www.example.org"`), narrow))
	result := w.Expect(acctest.HasChanges, acctest.Plan)
	for _, permission := range []string{
		"list sidecars.networking.istio.io in all namespaces",
		"list sidecars.networking.istio.io in namespace " + s.shop,
		"get secrets in namespace " + s.egress,
	} {
		if n := strings.Count(result.Output, "  "+permission+"\n"); n != 1 {
			t.Errorf("%q is said %d times:\n%s", permission, n, result.Output)
		}
	}
	w.Expect(0, acctest.Apply)
	if result := w.Expect(acctest.NoChanges, acctest.Plan); strings.Contains(result.Output, "sidecars") {
		t.Errorf("an unchanged policy is compared:\n%s", result.Output)
	}
	w.Expect(0, acctest.Destroy)
	f.Delete("ClusterRoleBinding", "", "narrow-"+s.egress)
	f.Delete("ClusterRole", "", "narrow-"+s.egress)
}
