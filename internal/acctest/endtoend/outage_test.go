package endtoend_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// A cluster that does not answer costs a plan of something new a warning, a
// refresh and an apply an error in time, and nobody the state.
func TestAPIServerDown(t *testing.T) {
	f := acctest.NewOwn(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	short := func(hcl string) string {
		return with(hcl, `timeouts = { create = "5s", read = "5s", update = "5s", delete = "5s" }`)
	}
	before := f.Workspace(f.CLI, f.Config(short(policies("before", egress, shop, 1))))
	before.Expect(0, acctest.Apply)
	stateBefore := stateFile(t, before)

	if err := f.ControlPlane().KillAPIServer(); err != nil {
		t.Fatal(err)
	}
	running := false
	start := func() {
		if !running {
			running = true
			if err := f.ControlPlane().StartAPIServer(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	defer start()

	host := f.ControlPlane().Host
	fresh := f.Workspace(f.CLI, f.Config(short(policies("fresh", egress, shop, 1))))
	fresh.Expect(acctest.HasChanges, acctest.Plan, "Warning:", host, "1 to add")
	fresh.Expect(acctest.Failed, acctest.Apply, "Error:", host)
	if left := fresh.Resources(); len(left) > 1 {
		t.Errorf("state after a create that could not reach the cluster: %v", left)
	}

	before.Expect(acctest.Failed, acctest.Plan, "Error:", host)
	before.Write("main.tf", f.Config(with(short(policies("before", egress, shop, 1)), `unselected_workloads = "direct"`)))
	before.Expect(acctest.Failed, slices.Concat(acctest.Apply, []string{"-refresh=false"}), "Error:", host)
	before.Expect(acctest.Failed, slices.Concat(acctest.Destroy, []string{"-refresh=false"}), "Error:", host)
	if now := before.Resources()["istio_egress_traffic_policy.before[0]"]; now.Tainted || now.Attributes["unselected_workloads"] != "deny" {
		t.Errorf("state after an update and a destroy that could not reach the cluster: %v, before: %s", now, stateBefore)
	}

	start()
	fresh.Expect(0, acctest.Apply)
	before.Expect(0, acctest.Apply)
	for _, w := range []*acctest.Workspace{fresh, before} {
		w.Expect(acctest.NoChanges, acctest.Plan)
		w.Expect(0, acctest.Destroy)
	}
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// Without the Istio CRDs a plan works, and apply says what is missing.
func TestNoIstio(t *testing.T) {
	f := acctest.New(t)
	none := false
	bare, err := testbed.Start(t.Context(), testbed.Options{Istio: &none})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bare.Stop(); err != nil {
			t.Error(err)
		}
	}()
	w := f.Workspace(f.CLI, f.Config(policies("new", "default", "kube-public", 1),
		acctest.WithAttribute("host", ""), acctest.WithAttribute("token", ""), acctest.WithAttribute("cluster_ca_certificate", ""),
		acctest.WithAttribute("config_path", strconv.Quote(bare.Kubeconfig))))
	w.Expect(acctest.HasChanges, acctest.Plan, "1 to add")
	w.Expect(acctest.Failed, acctest.Apply, "networking.istio.io", "istioctl install")
	for address, resource := range w.Resources() {
		if !resource.Tainted {
			t.Errorf("%s stands in the state as if it existed", address)
		}
	}
	// Whatever stands in the state goes away without the CRDs.
	w.Expect(0, slices.Concat(acctest.Destroy, []string{"-refresh=false"}))
}

func stateFile(t *testing.T, w *acctest.Workspace) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
