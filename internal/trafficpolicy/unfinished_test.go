package trafficpolicy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// An update that fails half-way leaves a state that knows every object and
// port: the next apply, whatever it wants, leaves nothing over.
func TestUnfinishedUpdate(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	forbidden := f.Namespace("forbidden")
	wider := s.policy(fmt.Sprintf(`
  egress_rules = [
    {
      from = [{ namespace = %[1]q, workload_selector = {} }]
      to   = [{ name = "web", hosts = ["httpbin.org"], port = { name = "https", number = 443, protocol = "HTTPS" } }]
    },
    {
      from = [{ namespace = %[2]q, workload_selector = {} }]
      to   = [{ name = "new", hosts = ["new.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" }, by_egress_gateway = { port = 2345 } }]
    },
  ]`, s.shop, forbidden))
	w := f.Workspace(f.CLI, f.Config(s.minimal()))
	w.Expect(0, acctest.Apply)
	before := f.Managed()

	w.Write("main.tf", f.Config(wider))
	w.Expect(acctest.Failed, acctest.Apply, forbidden)
	if len(f.Managed()) == len(before) {
		t.Fatal("the update has failed before its first write: it tests nothing")
	}
	// Back to what it was: the half of the update goes.
	w.Write("main.tf", f.Config(s.minimal()))
	w.Expect(acctest.HasChanges, acctest.Plan, "left over from an update that did not finish")
	w.Expect(0, acctest.Apply)
	if err := checkRepaired(f, before); err != nil {
		t.Error(err)
	}
	w.Expect(acctest.NoChanges, acctest.Plan)

	// Once more, and destroyed as it is.
	w.Write("main.tf", f.Config(wider))
	w.Expect(acctest.Failed, acctest.Apply, forbidden)
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// Of an update that was killed no state knows: what only its configuration had
// goes with the next apply, whatever that wants, also what admits a namespace.
func TestKilledUpdate(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	yard := f.SourceNamespace("yard")
	wider := s.policy(fmt.Sprintf(`
  egress_rules = [
    {
      from = [{ namespace = %q, workload_selector = {} }, { namespace = %q, workload_selector = {} }]
      to   = [
        { name = "new", hosts = ["new.example.com"], port = { name = "https", number = 443, protocol = "HTTPS" } },
        { name = "plain", hosts = ["plain.example.com"], port = { name = "http", number = 80, protocol = "HTTP" }, https_upgrade = { enabled = true, port = 443 } },
      ]
    },
  ]`, s.shop, yard))
	w := f.Workspace(f.CLI, f.Config(s.minimal()))
	w.Expect(0, acctest.Apply)
	before := f.Managed()
	file := filepath.Join(w.Dir, "terraform.tfstate")
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	killed := func() {
		t.Helper()
		w.Write("main.tf", f.Config(wider))
		w.Expect(0, acctest.Apply)
		if err := os.WriteFile(file, saved, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	killed()
	w.Write("main.tf", f.Config(s.minimal()))
	w.Expect(acctest.HasChanges, acctest.Plan, "left over from an update that did not finish")
	w.Expect(0, acctest.Apply)
	if err := checkRepaired(f, before); err != nil {
		t.Error(err)
	}
	w.Expect(acctest.NoChanges, acctest.Plan)

	// Forward again, from the old state.
	killed()
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)

	killed()
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// A create that fails half-way is replaced by the next apply, and so is an
// instance that the user wants anew.
func TestReplaced(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.Namespace("shop")}
	w := f.Workspace(f.CLI, f.Config(s.minimal()))
	w.Expect(acctest.Failed, acctest.Apply, s.shop)
	if !w.Resources()[address].Tainted || len(f.Managed()) == 0 {
		t.Fatal("the create has failed before its first write: it tests nothing")
	}
	f.BindSourceRole(s.shop)
	w.Expect(acctest.HasChanges, acctest.Plan, "1 to add, 0 to change, 1 to destroy")
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, append(slices.Clone(acctest.Apply), "-replace="+address), "1 added, 0 changed, 1 destroyed")
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// A create that was killed after it had written something is resumed by the
// same owner_id, on the same ports; without owner_id it is refused.
func TestKilledCreate(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	config := f.Config(s.minimal(), acctest.WithOwnerID("laptop"))
	w := f.Workspace(f.CLI, config)
	w.Expect(0, acctest.Apply)
	before := f.Managed()

	for name, survives := range map[string]func(*unstructured.Unstructured) bool{
		"after the reservation": func(object *unstructured.Unstructured) bool { return object.GetKind() == "Gateway" },
		"half-way": func(object *unstructured.Unstructured) bool {
			return slices.Contains([]string{"Gateway", "ServiceEntry", "Service"}, object.GetKind())
		},
		"at the end": func(*unstructured.Unstructured) bool { return true },
	} {
		t.Logf("killed %s", name)
		if err := os.Remove(filepath.Join(w.Dir, "terraform.tfstate")); err != nil {
			t.Fatal(err)
		}
		for _, object := range before {
			if !survives(object) {
				f.Delete(object.GetKind(), object.GetNamespace(), object.GetName())
			}
		}
		for _, other := range []string{f.Config(s.minimal()), f.Config(s.minimal(), acctest.WithOwnerID("other"))} {
			w.Write("main.tf", other)
			w.Expect(acctest.Failed, acctest.Plan, "killed")
			w.Expect(acctest.Failed, acctest.Apply, "killed")
		}
		w.Write("main.tf", config)
		w.Expect(0, acctest.Apply)
		w.Expect(acctest.NoChanges, acctest.Plan)
		if err := checkRepaired(f, before); err != nil {
			t.Error(err)
		}
	}
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// maxState is how many bytes of state a policy of one host and one source may
// have: core rewrites the whole state as it goes, which is what an apply of
// many policies waits for.
const maxState = 3 << 10

func TestStateSize(t *testing.T) {
	f := acctest.New(t)
	s := scene{egress: f.GatewayNamespace("egress"), shop: f.SourceNamespace("shop")}
	w := f.Workspace(f.CLI, f.Config(s.minimal()))
	w.Expect(0, acctest.Apply)
	text, err := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	// The indentation is part of what core writes.
	begin, end := strings.Index(string(text), `"resources"`), strings.Index(string(text), `"check_results"`)
	if size := end - begin; size > maxState {
		t.Errorf("the state of a policy has %d bytes, more than %d:\n%s", size, maxState, text)
	} else {
		t.Logf("the state of a policy has %d bytes", size)
	}
	w.Expect(0, acctest.Destroy)
}
