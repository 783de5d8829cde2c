package endtoend_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

const mainPolicy = "istio_egress_traffic_policy.main"

// policyWith is a policy with these rules, on a gateway that nobody has to have made.
func policyWith(egress, rules string) string {
	return fmt.Sprintf(`
resource "istio_egress_traffic_policy" "main" {
  name              = "main"
  by_egress_gateway = { name = "egw", namespace = %q }
  egress_rules      = [%s]
}
`, egress, rules)
}

// gatewayPorts returns the attribute of the policy that policyWith writes.
func gatewayPorts(w *acctest.Workspace) map[string]string {
	ports := map[string]string{}
	for member, port := range w.Resources()[mainPolicy].Attributes["gateway_ports"].(map[string]any) {
		ports[member] = fmt.Sprint(port)
	}
	return ports
}

// TestPortsNeverMove edits a policy in every way that leaves an entry and a host
// alone, loses its state and imports it again: their ports stay.
func TestPortsNeverMove(t *testing.T) {
	f := acctest.New(t)
	egress, shop, other := f.GatewayNamespace("egress"), f.SourceNamespace("shop"), f.SourceNamespace("other")
	from := fmt.Sprintf(`[{ namespace = %q, workload_selector = { app = "a" } }]`, shop)
	rule := func(name string, entries ...string) string {
		return fmt.Sprintf("{ name = %q, from = %s, to = [%s] }", name, from, strings.Join(entries, ", "))
	}
	entry := func(name, hosts, port, more string) string {
		return fmt.Sprintf(`{ name = %q, hosts = [%s], port = %s, %s }`, name, hosts, port, more)
	}
	const (
		http  = `{ name = "http", number = 80, protocol = "HTTP" }`
		https = `{ name = "https", number = 443, protocol = "HTTPS" }`
		tcp   = `{ name = "tcp", number = 5432, protocol = "TCP" }`
		on80  = `by_egress_gateway = { port = 80 }`
	)
	api := entry("api", `"one.example.com", "two.example.com"`, https, "")
	db := entry("db", `"203.0.113.7"`, tcp, "")
	web := entry("web", `"web.example.com"`, http, "")
	left, right := entry("left", `"left.example.com"`, http, on80), entry("right", `"right.example.com"`, http, on80)

	// Another workspace assigns ports on the same gateway.
	neighbour := f.Workspace(f.CLI, f.Config(policies("neighbour", egress, other, 3)))
	neighbour.Expect(0, acctest.Apply)
	w := f.Workspace(f.CLI, f.Config(policyWith(egress, rule("first", api, db, web)+", "+rule("second", left, right))))
	w.Expect(0, acctest.Apply)
	known := gatewayPorts(w)
	if want := []string{"api/one.example.com", "api/two.example.com", "db/203.0.113.7", "left", "right", "web"}; !slices.Equal(want, slices.Sorted(maps.Keys(known))) {
		t.Fatalf("gateway_ports: %v", known)
	}

	another := entry("another", `"0.example.com"`, https, "")
	edited := strings.Replace(api, `"two.example.com"`, `"three.example.com"`, 1)
	for _, step := range []struct {
		name, rules string
		// parted is the entry that is edited so that it needs another port.
		parted string
	}{
		{"reorder", rule("second", right, left) + ", " + rule("first", web, db, strings.Replace(api, `"one.example.com", "two.example.com"`, `"two.example.com", "one.example.com"`, 1)), ""},
		{"insert", rule("zeroth", another) + ", " + rule("second", right, left) + ", " + rule("first", web, db, strings.Replace(api, `hosts = [`, `hosts = ["added.example.com", `, 1)), ""},
		{"rename and join the rules", rule("renamed", another, left, right, api, db, web), ""},
		{"edit another host", rule("renamed", left, right, edited, db, web), ""},
		{"take away the entry that its port is called after", rule("renamed", right, edited, db, web), ""},
		{"and let it share again", rule("renamed", left, right, edited, db, web), ""},
		// Who is not edited keeps the port.
		{"part what shares a port", rule("renamed", strings.Replace(left, "port = 80 }", "port = 81 }", 1), right, edited, db, web), "left"},
		{"join it again", rule("renamed", left, right, edited, db, web), "left"},
	} {
		w.Write("main.tf", f.Config(policyWith(egress, step.rules)))
		w.Expect(0, acctest.Apply)
		now := gatewayPorts(w)
		for member, port := range now {
			if before, ok := known[member]; ok && before != port && member != step.parted {
				t.Errorf("%s: %s moved from %s to %s", step.name, member, before, port)
			}
		}
		known = now
		if live := reserved(t, f); !slices.Equal(live, distinctPorts(known)) {
			t.Errorf("%s: the policy's Gateways open %v, gateway_ports are %v", step.name, live, known)
		}
		w.Expect(acctest.NoChanges, acctest.Plan)
	}

	t.Run("state rm and import block", func(t *testing.T) {
		w.Expect(0, []string{"state", "rm", mainPolicy})
		w.Write("import.tf", fmt.Sprintf("import {\n  to = %s\n  id = \"%s/main\"\n}\n", mainPolicy, egress))
		w.Expect(acctest.HasChanges, acctest.Plan, "1 to import, 0 to add, 0 to change, 0 to destroy.")
		w.Expect(0, acctest.Apply)
		w.Expect(acctest.NoChanges, acctest.Plan)
		if diff := cmp.Diff(known, gatewayPorts(w)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("lost state", func(t *testing.T) {
		for _, name := range []string{"terraform.tfstate", "import.tf"} {
			if err := os.Remove(filepath.Join(w.Dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		w.Expect(0, []string{"import", "-no-color", mainPolicy, egress + "/main"})
		w.Expect(acctest.NoChanges, acctest.Plan)
		if diff := cmp.Diff(known, gatewayPorts(w)); diff != "" {
			t.Error(diff)
		}
	})
	w.Expect(0, acctest.Destroy)
	neighbour.Expect(acctest.NoChanges, acctest.Plan)
	neighbour.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// reserved returns the ports of the live Gateways of policy main, sorted.
func reserved(t *testing.T, f *acctest.Fixture) []string {
	t.Helper()
	var ports []string
	for _, object := range f.Managed() {
		if object.GetKind() == "Gateway" && object.GetLabels()["egress.meshegress.io/policy"] == "main" {
			ports = append(ports, strings.TrimPrefix(object.GetName(), "egw-"))
		}
	}
	slices.Sort(ports)
	return ports
}

func distinctPorts(ports map[string]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(ports)))
}

// TestASMSecondExample is the second example of ASM's document, number for number: HTTP
// upgraded on gateway port 80, two HTTPS hosts on 444 and another on 445.
func TestASMSecondExample(t *testing.T) {
	f := acctest.New(t)
	egress, mytest := f.GatewayNamespace("egress"), f.SourceNamespace("mytest")
	w := f.Workspace(f.CLI, f.Config(fmt.Sprintf(`
resource "istio_egress_traffic_policy" "main" {
  name              = "egress-by-egressgateway-a"
  by_egress_gateway = { name = "egressgateway-a", namespace = %[1]q }
  egress_rules = [
    {
      from = [{ namespace = %[2]q, workload_selector = { app = "sleep-a" } }]
      to = [
        {
          name = "httpbin-service-http", hosts = ["www.httpbin.org", "httpbin.org"], port = { name = "http", number = 80, protocol = "HTTP" }
          by_egress_gateway = { port = 80 }, https_upgrade = { enabled = true, port = 443 }
        },
        { name = "httpbin-service-https", hosts = ["www.httpbin.org", "httpbin.org"], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 444 } },
      ]
    },
    {
      from = [{ namespace = %[2]q, workload_selector = { app = "sleep-b" } }]
      to   = [{ name = "aliyun-service-https", hosts = ["www.aliyun.com"], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 445 } }]
    },
  ]
}
`, egress, mytest)))
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	assigned := gatewayPorts(w)
	service := f.Get("Service", egress, "egress-by-egressgateway-a-egw")
	if service == nil {
		t.Fatal("the policy has no Service")
	}
	var spec struct {
		Ports []struct{ Port, TargetPort int64 }
	}
	text, err := json.Marshal(service.Object["spec"])
	if err == nil {
		err = json.Unmarshal(text, &spec)
	}
	if err != nil {
		t.Fatal(err)
	}
	leads := map[int64]string{}
	for _, port := range spec.Ports {
		leads[port.Port] = fmt.Sprint(port.TargetPort)
		if port.TargetPort < 10000 || port.TargetPort > 20000 {
			t.Errorf("port %d leads to %d", port.Port, port.TargetPort)
		}
	}
	want := map[int64]string{80: assigned["httpbin-service-http"], 444: assigned["httpbin-service-https"], 445: assigned["aliyun-service-https"]}
	if diff := cmp.Diff(want, leads); diff != "" || len(distinctPorts(assigned)) != 3 {
		t.Errorf("Service: %s, gateway_ports: %v", diff, assigned)
	}
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}
