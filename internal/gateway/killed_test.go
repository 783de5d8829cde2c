package gateway_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// A create that was killed is resumed by the next one of its owner, and what only
// the configuration of then had goes: no state names it.
func TestKilledCreateOfAnotherConfiguration(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("egress")
	config := func(more string) string {
		return f.Config(gateway(namespace, "wait_for_rollout = false\n"+more), acctest.WithAttribute("owner_id", `"killed"`))
	}
	w := f.Workspace(f.CLI, config(`network_policy = true
  autoscaling = { min_replicas = 1, max_replicas = 2, cpu_utilization = 80 }
  resources   = { requests = { cpu = "100m" } }`))
	w.Expect(0, acctest.Apply)
	w.Expect(0, []string{"state", "rm", "istio_egress_gateway.a"})
	w.Write("main.tf", config("replicas = 1"))
	w.Expect(0, acctest.Apply)
	for _, object := range f.Managed() {
		if kind := object.GetKind(); kind == "NetworkPolicy" || kind == "HorizontalPodAutoscaler" {
			t.Errorf("%s %s is left", kind, object.GetName())
		}
	}
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// What an update that was killed has made stands in no state, and goes with the
// next apply.
func TestKilledUpdate(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("egress")
	config := func(more string) string { return f.Config(gateway(namespace, "wait_for_rollout = false\n"+more)) }
	w := f.Workspace(f.CLI, config("replicas = 1"))
	w.Expect(0, acctest.Apply)
	file := filepath.Join(w.Dir, "terraform.tfstate")
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.Write("main.tf", config(`network_policy = true
  autoscaling = { min_replicas = 1, max_replicas = 2, cpu_utilization = 80 }`))
	w.Expect(0, acctest.Apply)
	if err := os.WriteFile(file, saved, 0o600); err != nil {
		t.Fatal(err)
	}
	w.Write("main.tf", config("replicas = 1"))
	w.Expect(acctest.HasChanges, acctest.Plan, "left over from an update that did not finish")
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	for _, object := range f.Managed() {
		if kind := object.GetKind(); kind == "NetworkPolicy" || kind == "HorizontalPodAutoscaler" {
			t.Errorf("%s %s is left", kind, object.GetName())
		}
	}
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}
