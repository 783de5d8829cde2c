package endtoend_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// count is how many elements of a collection a plan knows, and how many it does not.
// all is the count where it does not know which elements there are.
type count struct{ known, unknown int }

var all = count{-1, -1}

// unknowns are attributes of a policy that another resource computes in the same apply.
// The policy has three entries of one host each: web (HTTP) and api (HTTPS) in one rule,
// db (TCP, on an explicit port) in another.
var unknowns = []struct {
	name string
	// given are the placeholders of the policy that are not known.
	given                    []string
	ports, manifests, grants count
}{
	// The first is a create: ports that are assigned are not known either.
	{"several", []string{"account", "label", "web_host", "number"}, count{1, 2}, all, count{1, 2}},
	{"nothing", nil, count{3, 0}, count{21, 0}, count{3, 0}},
	{"host of an HTTP entry", []string{"web_host"}, count{3, 0}, all, count{2, 1}},
	{"host of an HTTPS entry", []string{"api_host"}, all, all, count{2, 1}},
	{"service account", []string{"account"}, count{3, 0}, count{18, 3}, count{1, 2}},
	{"label", []string{"label"}, count{3, 0}, count{18, 3}, count{1, 2}},
	{"namespace", []string{"namespace"}, count{3, 0}, all, count{1, 2}},
	{"number of a port", []string{"number"}, count{3, 0}, count{16, 5}, count{2, 1}},
	{"port of the gateway", []string{"port"}, all, all, count{3, 0}},
	// The revision of the shared AuthorizationPolicies is the gateway's.
	{"revision", []string{"revision"}, count{3, 0}, count{2, 19}, count{3, 0}},
	{"whole rule", []string{"rule"}, all, all, all},
	{"gateway", []string{"reference"}, all, all, all},
}

// partlyUnknown returns the policy; the round changes what is given, and so makes it unknown
// until it is applied.
func partlyUnknown(egress, shop, other string, round int, given []string) string {
	rule := fmt.Sprintf(`{
      from = [{ namespace = %q, workload_selector = {} }]
      to   = [{ name = "db", hosts = ["203.0.113.7"], port = { name = "tcp", number = 5432, protocol = "TCP" }, by_egress_gateway = { port = @port } }]
    }`, other)
	text := fmt.Sprintf(`
resource "istio_egress_traffic_policy" "main" {
  name              = "main"
  revision          = @revision
  by_egress_gateway = @reference
  egress_rules = [
    {
      from = [{ namespace = @namespace, workload_selector = { app = @label }, service_accounts = [@account] }]
      to = [
        { name = "web", hosts = [@web_host], port = { name = "http", number = 80, protocol = "HTTP" }, https_upgrade = { enabled = true, port = 443 } },
        { name = "api", hosts = [@api_host], port = { name = "https", number = @number, protocol = "HTTPS" } },
      ]
    },
    @rule,
  ]
}

resource "terraform_data" "given" {
  input = {
    round = %d
    @input
  }
}
`, round)
	values := map[string]string{
		"revision": `"default"`, "namespace": fmt.Sprintf("%q", shop), "label": `"a"`, "account": `"a"`,
		"web_host": `"web.example.com"`, "api_host": `"api.example.com"`, "number": "443", "port": "12004",
		"reference": fmt.Sprintf(`{ name = "egw", namespace = %q }`, egress), "rule": rule,
	}
	var input []string
	for _, name := range given {
		input = append(input, fmt.Sprintf("%s = %s", name, values[name]))
		values[name] = "terraform_data.given.output." + name
	}
	// A rule has a placeholder in it.
	for _, name := range []string{"rule", "revision", "namespace", "label", "account", "web_host", "api_host", "number", "reference", "port"} {
		text = strings.ReplaceAll(text, "@"+name, values[name])
	}
	return strings.NewReplacer("@input", strings.ReplaceAll(strings.Join(input, "\n    "), "@port", values["port"])).Replace(text)
}

// TestUnknownsLifecycle plans and applies a policy of which something is unknown until the apply:
// the plan is unknown of what depends on it and of nothing else, and the apply keeps what
// the plan has promised, or core would refuse it.
func TestUnknownsLifecycle(t *testing.T) {
	f := acctest.New(t)
	egress, shop, other := f.GatewayNamespace("egress"), f.SourceNamespace("shop"), f.SourceNamespace("other")
	w := f.Workspace(f.CLI, f.Config(""))
	var before map[string]string
	for round, c := range unknowns {
		w.Write("main.tf", f.Config(partlyUnknown(egress, shop, other, round, c.given)))
		policy := savedPlan(t, w, "plan")[mainPolicy]
		for attribute, want := range map[string]count{"gateway_ports": c.ports, "manifests": c.manifests, "grants": c.grants} {
			if got := counted(policy, attribute); got != want {
				t.Errorf("%s: %s: the plan knows %d elements and does not know %d, want %v", c.name, attribute, got.known, got.unknown, want)
			}
		}
		if action := policy.Change.Actions; round > 1 && slices.Contains(action, "delete") {
			t.Errorf("%s: the plan is to %v", c.name, action)
		}
		w.Expect(0, []string{"apply", "-no-color", "plan"})
		if now := gatewayPorts(w); before != nil && fmt.Sprint(now) != fmt.Sprint(before) {
			t.Errorf("%s: ports were %v, and are %v", c.name, before, now)
		}
		before = gatewayPorts(w)
	}
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// counted counts the elements of an attribute in a plan.
func counted(change planned, attribute string) count {
	n := count{}
	tally := func(unknown any) {
		if unknown == true {
			n.unknown++
		}
	}
	switch unknown := change.Change.AfterUnknown[attribute].(type) {
	case bool:
		if unknown {
			return all
		}
	case map[string]any:
		for _, element := range unknown {
			tally(element)
		}
	case []any:
		for _, element := range unknown {
			tally(element)
		}
	}
	switch after := change.Change.After[attribute].(type) {
	case map[string]any:
		n.known = len(after)
	case []any:
		// An unknown element of a set stands in it as null.
		n.known = len(after) - n.unknown
	}
	return n
}

// TestGatewayOfTheSameRun plans a policy for a gateway of which something is unknown: what
// the policy takes of it is known, and so is the policy.
func TestGatewayOfTheSameRun(t *testing.T) {
	f := acctest.New(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	w := f.Workspace(f.CLI, f.Config(fmt.Sprintf(`
resource "terraform_data" "team" {
  input = "platform"
}

resource "istio_egress_gateway" "a" {
  name             = "a"
  namespace        = %q
  labels           = { team = terraform_data.team.output }
  wait_for_rollout = false
}

resource "istio_egress_traffic_policy" "main" {
  name              = "main"
  by_egress_gateway = istio_egress_gateway.a.reference
  egress_rules = [{
    from = [{ namespace = %q, workload_selector = {} }]
    to   = [{ name = "api", hosts = ["api.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 12000 } }]
  }]
}
`, egress, shop)))
	policy := savedPlan(t, w, "plan")[mainPolicy]
	for attribute, want := range map[string]count{"gateway_ports": {1, 0}, "manifests": {8, 0}, "grants": {1, 0}} {
		if got := counted(policy, attribute); got != want {
			t.Errorf("%s: the plan knows %d elements and does not know %d, want %v", attribute, got.known, got.unknown, want)
		}
	}
	w.Expect(0, []string{"apply", "-no-color", "plan"})
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
}
