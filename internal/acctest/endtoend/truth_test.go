package endtoend_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// everything is a policy that uses all there is, and the gateway that it is for. The
// ports are explicit, so that nothing waits for an apply.
func everything(egress, shop, other string) string {
	return fmt.Sprintf(`
resource "istio_egress_gateway" "a" {
  name             = "a"
  namespace        = %[1]q
  wait_for_rollout = false
  labels           = { team = "platform" }
  autoscaling      = { min_replicas = 2, max_replicas = 3, cpu_utilization = 80 }
  resources        = { requests = { cpu = "0.1", memory = "128Mi" } }
  network_policy   = true
  pod_disruption_budget = { min_available = 1 }
}

resource "istio_egress_traffic_policy" "main" {
  name                 = "main"
  by_egress_gateway    = istio_egress_gateway.a.reference
  unselected_workloads = "direct"
  egress_rules = [
    {
      name = "checkout"
      from = [
        { namespace = %[2]q, workload_selector = { app = "a" }, service_accounts = ["a", "b"] },
        { namespace = %[3]q, service_accounts = ["default"] },
      ]
      to = [
        {
          name = "upgraded", hosts = ["www.example.com", "example.com"], port = { name = "http", number = 80, protocol = "HTTP" }
          by_egress_gateway = { port = 12000 }, https_upgrade = { enabled = true, port = 443 }
          tls     = { mode = "SIMPLE", sni = "example.com", subject_alt_names = ["example.com"] }
          timeout = "10s"
          retries = { attempts = 2, per_try_timeout = "2s", retry_on = "gateway-error,connect-failure" }
        },
        { name = "https", hosts = ["one.example.org", "two.example.org"], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 12001 } },
        { name = "tls", hosts = ["mq.example.org"], port = { name = "tls", number = 5671, protocol = "TLS" }, by_egress_gateway = { port = 12002 } },
      ]
    },
    {
      name = "reports"
      from = [{ namespace = %[2]q, workload_selector = {} }]
      to = [
        { name = "ip", hosts = ["203.0.113.9"], port = { name = "tcp", number = 5433, protocol = "TCP" }, by_egress_gateway = { port = 12003 } },
        { name = "db", hosts = ["db.example.net"], addresses = ["203.0.113.7"], port = { name = "tcp", number = 5432, protocol = "TCP" }, by_egress_gateway = { port = 12004 } },
        { name = "wild", hosts = ["*.wikipedia.example"], resolve_to = "www.wikipedia.example", port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 12005 } },
        { name = "grpc", hosts = ["grpc.example.net"], port = { name = "grpc", number = 9090, protocol = "GRPC" }, by_egress_gateway = { port = 12006 } },
        { name = "h2", hosts = ["h2.example.net"], port = { name = "http2", number = 8080, protocol = "HTTP2" }, by_egress_gateway = { port = 12007 } },
      ]
    },
  ]
}
`, egress, shop, other)
}

// planned is a resource of a plan: attributes that are known, and which are not.
type planned struct {
	Address string
	Change  struct {
		Actions      []string
		After        map[string]any
		AfterUnknown map[string]any `json:"after_unknown"`
	}
}

// savedPlan plans into a file and returns what it says, by address.
func savedPlan(t *testing.T, w *acctest.Workspace, file string, wanted ...string) map[string]planned {
	t.Helper()
	w.Expect(acctest.HasChanges, slices.Concat(acctest.Plan, []string{"-out=" + file}), wanted...)
	var answer struct {
		ResourceChanges []planned `json:"resource_changes"`
	}
	shown := w.Expect(0, []string{"show", "-json", file})
	if err := json.Unmarshal([]byte(shown.Stdout), &answer); err != nil {
		t.Fatal(err)
	}
	changes := map[string]planned{}
	for _, change := range answer.ResourceChanges {
		changes[change.Address] = change
	}
	return changes
}

// TestPlanTellsTheTruth compares the manifests of a plan byte for byte with those of the
// state after its apply, and these with the live objects; a plan without a cluster says
// the same.
func TestPlanTellsTheTruth(t *testing.T) {
	f := acctest.New(t)
	egress, shop, other := f.GatewayNamespace("egress"), f.SourceNamespace("shop"), f.SourceNamespace("other")
	config := everything(egress, shop, other)
	full, revision := acctest.WithDetail("full"), acctest.WithAttribute("revision", `"default"`)
	offline := savedPlan(t, f.Workspace(f.CLI, f.Config(config, full, revision, acctest.WithAttribute("host", `"https://127.0.0.1:1"`))), "plan", "Warning:")
	w := f.Workspace(f.CLI, f.Config(config, full, revision))
	online := savedPlan(t, w, "plan")
	w.Expect(0, []string{"apply", "-no-color", "plan"})
	for _, address := range []string{mainPolicy, "istio_egress_gateway.a"} {
		applied := w.Resources()[address].Attributes["manifests"].(map[string]any)
		if diff := cmp.Diff(online[address].Change.After["manifests"], any(applied)); diff != "" {
			t.Errorf("%s: planned (-) and applied (+) differ:\n%s", address, diff)
		}
		if diff := cmp.Diff(offline[address].Change.After["manifests"], any(applied)); diff != "" {
			t.Errorf("%s: planned without a cluster (-) and applied (+) differ:\n%s", address, diff)
		}
		if len(applied) < 9 {
			t.Errorf("%s: only %v", address, slices.Sorted(maps.Keys(applied)))
		}
		for key, text := range applied {
			checkLive(t, f, key, text.(string))
		}
	}
	for _, attribute := range []string{"grants", "gateway_ports"} {
		applied := w.Resources()[mainPolicy].Attributes[attribute]
		for name, plan := range map[string]map[string]planned{"online": online, "offline": offline} {
			if diff := cmp.Diff(plan[mainPolicy].Change.After[attribute], applied); diff != "" {
				t.Errorf("%s: %s: %s", name, attribute, diff)
			}
		}
	}
	// A refresh writes what lives into the state: the very same.
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// checkLive compares an object of `manifests` with the live one: an Istio object has the
// very spec, others have each field of it.
func checkLive(t *testing.T, f *acctest.Fixture, key, text string) {
	t.Helper()
	var object unstructured.Unstructured
	if err := json.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	live := f.Get(object.GetKind(), object.GetNamespace(), object.GetName())
	if live == nil {
		t.Errorf("%s does not live", key)
		return
	}
	if live.GetLabels()["istio.io/rev"] != "default" {
		t.Errorf("%s is of no revision", key)
	}
	// Through JSON, so that numbers have one type.
	var fields map[string]any
	encoded, err := json.Marshal(live.Object)
	if err == nil {
		err = json.Unmarshal(encoded, &fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(object.GetAPIVersion(), ".istio.io/") {
		if diff := cmp.Diff(object.Object["spec"], fields["spec"]); diff != "" {
			t.Errorf("%s: manifest (-) and live (+) differ:\n%s", key, diff)
		}
	}
	missing(t, key, object.Object, fields)
}

// missing reports what the live object lacks of the manifest.
func missing(t *testing.T, at string, manifest, live any) {
	t.Helper()
	switch want := manifest.(type) {
	case map[string]any:
		has, _ := live.(map[string]any)
		for name, value := range want {
			missing(t, at+"."+name, value, has[name])
		}
	case []any:
		has, _ := live.([]any)
		if len(has) != len(want) {
			t.Errorf("%s: %d elements in the manifest, %d live", at, len(want), len(has))
			return
		}
		for i, value := range want {
			missing(t, fmt.Sprintf("%s[%d]", at, i), value, has[i])
		}
	default:
		// The API server writes quantities in its own way: 0.1 is 100m.
		if !reflect.DeepEqual(manifest, live) && !strings.Contains(at, ".resources.") {
			t.Errorf("%s: %v in the manifest, %v live", at, manifest, live)
		}
	}
}

// TestGrantsInAPlan hides a widening in a reordering of a whole policy: a reviewer reads
// one line that is added.
func TestGrantsInAPlan(t *testing.T) {
	f := acctest.New(t)
	egress, shop, other := f.GatewayNamespace("egress"), f.SourceNamespace("shop"), f.SourceNamespace("other")
	rule := func(from, to []string) string {
		return fmt.Sprintf("{ from = [%s], to = [%s] }", strings.Join(from, ", "), strings.Join(to, ", "))
	}
	source := func(namespace, app string) string {
		return fmt.Sprintf(`{ namespace = %q, workload_selector = { app = %q }, service_accounts = [%[2]q] }`, namespace, app)
	}
	entry := func(name, hosts string) string {
		return fmt.Sprintf(`{ name = %q, hosts = [%s], port = { name = "https", number = 443, protocol = "HTTPS" } }`, name, hosts)
	}
	first := []string{source(shop, "a"), source(other, "a")}
	w := f.Workspace(f.CLI, f.Config(policyWith(egress,
		rule(first, []string{entry("api", `"one.example.com", "two.example.com"`), entry("mail", `"mail.example.com"`)})+", "+
			rule([]string{source(shop, "b")}, []string{entry("bank", `"bank.example.com"`)}))))
	w.Expect(0, acctest.Apply)
	w.Write("main.tf", f.Config(policyWith(egress,
		rule([]string{source(other, "b"), source(shop, "b")}, []string{entry("bank", `"bank.example.com"`)})+", "+
			rule([]string{first[1], first[0]}, []string{entry("mail", `"mail.example.com"`), entry("api", `"two.example.com", "one.example.com"`)}))))
	plan := w.Expect(acctest.HasChanges, acctest.Plan)
	var changed []string
	_, grants, found := strings.Cut(plan.Stdout, "~ grants")
	grants, _, ended := strings.Cut(grants, "]\n")
	for line := range strings.Lines(grants) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "+") || strings.HasPrefix(line, "-") || strings.HasPrefix(line, "~") {
			changed = append(changed, line)
		}
	}
	want := []string{fmt.Sprintf(`+ "%s/app=b (sa b) -> bank.example.com:443 HTTPS, via %s/egw",`, other, egress)}
	if !found || !ended || !slices.Equal(want, changed) {
		t.Errorf("the plan says of grants:\n%s\nwant %s\n%s", strings.Join(changed, "\n"), want[0], plan.Stdout)
	}
	w.Expect(0, acctest.Apply)
	w.Expect(0, acctest.Destroy)
}
