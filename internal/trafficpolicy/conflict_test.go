package trafficpolicy_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// words matches words whatever white space the CLI puts between them.
func words(text string) *regexp.Regexp {
	fields := strings.Fields(text)
	for i, field := range fields {
		fields[i] = regexp.QuoteMeta(field)
	}
	return regexp.MustCompile(strings.Join(fields, `[\s│]+`))
}

// What belongs to somebody else is never touched: the plan says what to do.
func TestForeignObject(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	f.Apply(s.egress, `
apiVersion: v1
kind: Service
metadata: {name: payments-egw}
spec: {ports: [{name: http, port: 80}]}
`)
	before := f.TakeSnapshot("Service")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{{
			Config:      f.Config(s.minimal()),
			ExpectError: words("Service/" + s.egress + "/payments-egw exists already"),
		}},
	})
	f.CheckUntouched(before, "Service")
	if ids := f.ManagedIDs(); len(ids) > 0 {
		t.Errorf("objects were written: %v", ids)
	}
}

// A policy of the same name in another state is refused with the command that
// imports it, and stays as it is.
func TestSameNameInAnotherState(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	first := f.Workspace(f.CLI, f.Config(s.minimal()))
	first.Expect(0, acctest.Apply)
	before := f.Managed()

	second := f.Workspace(f.CLI, f.Config(s.upgraded()))
	second.Expect(acctest.Failed, acctest.Plan, "terraform import istio_egress_traffic_policy.payments "+s.egress+"/payments")
	second.Expect(acctest.Failed, acctest.Apply, s.egress+"/payments")
	if err := checkRepaired(f, before); err != nil {
		t.Error(err)
	}
	first.Expect(acctest.NoChanges, acctest.Plan)
	first.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// An explicit port is one port of the gateway's pods: who comes second is told
// who has it, in the plan if it is of the same run, and may have it when the
// first gives it up.
func TestExplicitPortTaken(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	// The port of "api" is assigned, before "web" wants its own.
	with := func(label, host string) string {
		return s.named(label, label, fmt.Sprintf(`
  egress_rules = [{
    from = [{ namespace = %[1]q, workload_selector = {} }]
    to   = [
      { name = "api", hosts = ["api.%[2]s"], port = { name = "https", number = 443, protocol = "HTTPS" } },
      { name = "web", hosts = [%[2]q], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 12345 } },
    ]
  }]`, s.shop, host))
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(with("first", "a.example.com"))},
			{
				// In another workspace.
				PreConfig: func() {
					w := f.Workspace(f.CLI, f.Config(with("second", "b.example.com")))
					w.Expect(acctest.HasChanges, acctest.Plan, "Port of the gateway is taken")
					before := f.ManagedIDs()
					w.Expect(acctest.Failed, acctest.Apply, "belongs to istio_egress_traffic_policy "+s.egress+"/first")
					if after := f.ManagedIDs(); !slices.Equal(before, after) {
						t.Errorf("objects were written: %v, before %v", after, before)
					}
				},
				Config:      f.Config(with("first", "a.example.com") + with("second", "b.example.com")),
				ExpectError: words("Two policies of this run want one port"),
			},
			// The port changes hands in one apply.
			{Config: f.Config(strings.Replace(with("first", "a.example.com"), "12345", "12346", 1) +
				strings.Replace(with("second", "b.example.com"), "\n}\n", "\n  depends_on = [istio_egress_traffic_policy.first]\n}\n", 1))},
		},
	})
}

// A namespace that is not there is named, with what could create it.
func TestNamespaceMissing(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: "no-such-namespace"}
	// The administrator's account: RBAC has nothing to say in a namespace that is not there.
	admin := f.Config(s.minimal(), acctest.WithKubeconfig(), acctest.WithAttribute("config_path", strconv.Quote(f.ControlPlane().Kubeconfig)))
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: admin, ExpectError: words(`Namespace "no-such-namespace" does not exist`)},
		},
	})
}

// The AuthorizationPolicy of a source namespace is one for all its policies,
// and goes with the last of them.
func TestSharedAuthorizationPolicy(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	one := f.Workspace(f.CLI, f.Config(s.minimal()))
	two := f.Workspace(f.CLI, f.Config(strings.NewReplacer(`"payments"`, `"orders"`, `"httpbin.org"`, `"www.example.com"`).Replace(s.minimal())))
	one.Expect(0, acctest.Apply)
	two.Expect(0, acctest.Apply)
	shared := func() bool { return f.Get("AuthorizationPolicy", s.egress, "gw-from-"+s.shop) != nil }
	one.Expect(0, acctest.Destroy)
	if !shared() {
		t.Error("the AuthorizationPolicy went with the first of two policies")
	}
	two.Expect(acctest.NoChanges, acctest.Plan)
	two.Expect(0, acctest.Destroy)
	if shared() {
		t.Error("the AuthorizationPolicy is left after the last policy")
	}
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}
