package trafficpolicy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

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
