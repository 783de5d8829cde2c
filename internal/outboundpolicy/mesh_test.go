package outboundpolicy_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/proxyview"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
)

const root = testbed.IstioNamespace

// meshText is the text of a mesh config.
func meshText(f *acctest.Fixture, name string) string {
	text, _, _ := unstructured.NestedString(f.Get("ConfigMap", root, name).Object, "data", "mesh")
	return text
}

func setMeshText(f *acctest.Fixture, name, text string) {
	f.Edit("ConfigMap", root, name, func(live *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(live.Object, text, "data", "mesh")
	})
}

// TestMeshLifecycle closes the mesh that the tests of this package share, so it
// runs before all others.
func TestMeshLifecycle(t *testing.T) {
	f := acctest.NewAlone(t)
	f.BindMeshRole()
	shop, other := f.SourceNamespace("shop"), f.SourceNamespace("other")
	object := "ConfigMap/" + root + "/istio"
	// Comments and line breaks as no YAML library would write them.
	before := "# rendered by a chart \u00e9\n\n" + strings.TrimRight(meshText(f, "istio"), "\n") + "\naccessLogFile:   '/dev/null' # kept\r\n\n"
	setMeshText(f, "istio", before)
	mesh := policy("test", `mode = "REGISTRY_ONLY"`)
	narrower := policy("namespace", `mode = "ALLOW_ANY"`, quoted("namespace", other)) +
		policy("workload", `mode = "REGISTRY_ONLY"`, quoted("namespace", other), `name = "strict"`, `workload_selector = { app = "strict" }`)
	closed, text := f.Config(mesh+narrower), "outboundTrafficPolicy:\r\n  mode: REGISTRY_ONLY\r\n"
	is := func(want string) resource.TestCheckFunc {
		return func(*terraform.State) error {
			if got := meshText(f, "istio"); got != want {
				return fmt.Errorf("the mesh config is\n%q, not\n%q", got, want)
			}
			return nil
		}
	}
	steps := []resource.TestStep{
		{
			Config:            closed,
			ConfigStateChecks: computed(object, "mesh", object, "REGISTRY_ONLY", knownvalue.Null()),
			Check: all(is(before+text), effect(f, shop, "a", proxyview.BlackHole),
				effect(f, other, "a", proxyview.PassThrough), effect(f, other, "strict", proxyview.BlackHole)),
		},
		drifted(object, func() { setMeshText(f, "istio", before) },
			`outboundTrafficPolicy.mode: (absent) -> "REGISTRY_ONLY"`),
		{Config: closed, ConfigPlanChecks: action(plancheck.ResourceActionUpdate), Check: all(is(before+text), effect(f, shop, "a", proxyview.BlackHole))},
		{
			// The Sidecar of the root namespace goes before the mesh config, and
			// those that are there repeat its hosts from now on.
			PreConfig: func() {
				t.Cleanup(func() {
					// Where a step has failed: the tests that follow share the mesh.
					_ = f.Istio.NetworkingV1().Sidecars(root).Delete(context.Background(), "default", metav1.DeleteOptions{})
				})
				f.Apply(root, `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec: {outboundTrafficPolicy: {mode: ALLOW_ANY}, egress: [{hosts: ["./*"]}]}
`)
			},
			Config: closed,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionNoop),
				plancheck.ExpectResourceAction("istio_outbound_traffic_policy.namespace", plancheck.ResourceActionUpdate),
			}},
			ConfigStateChecks: computed(object, "root_namespace", "Sidecar/"+root+"/default", "ALLOW_ANY", knownvalue.Null()),
			Check: all(effect(f, shop, "a", proxyview.PassThrough), effect(f, other, "strict", proxyview.BlackHole),
				field(f, "Sidecar", other, "default", "[map[hosts:[./*]]]", "spec", "egress")),
		},
		{
			PreConfig: func() { f.Delete("Sidecar", root, "default") },
			Config:    f.Config(mesh), Check: effect(f, other, "strict", proxyview.BlackHole),
		},
	}
	steps = append(steps, imports(f, f.Config(mesh), "mesh")...)
	if f.CLI.Queries() {
		steps = append(steps, queries(shop)...)
	}
	steps = append(steps,
		resource.TestStep{
			Config: f.Config(policy("test", `mode = "ALLOW_ANY"`)), ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			ConfigStateChecks: computed(object, "mesh", object, "ALLOW_ANY", knownvalue.Null()),
			Check:             all(is(strings.Replace(before+text, "REGISTRY_ONLY", "ALLOW_ANY", 1)), effect(f, shop, "a", proxyview.PassThrough)),
		},
		resource.TestStep{Config: f.Config(mesh)},
	)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(), Steps: steps,
		CheckDestroy: all(f.CheckNothingLeft, is(before), effect(f, shop, "a", proxyview.PassThrough)),
	})
}

// TestModesAsIstiodReadsThem asks the real istiod what odd mesh configs mean,
// each the opposite of the one before, and compares with package meshconfig.
func TestModesAsIstiodReadsThem(t *testing.T) {
	f := acctest.NewAlone(t)
	shop := f.SourceNamespace("shop")
	before := meshText(f, "istio")
	defer setMeshText(f, "istio", before)
	for _, text := range []string{
		"outboundTrafficPolicy: {}", "outboundTrafficPolicy: null", "outboundTrafficPolicy: {mode: 0}", "outboundTrafficPolicy: {mode: 1}",
		"outboundTrafficPolicy: {mode: null}", "outboundTrafficPolicy:", "outbound_traffic_policy: {mode: REGISTRY_ONLY}",
		"outbound_traffic_policy: {mode: REGISTRY_ONLY}\noutboundTrafficPolicy: {mode: ALLOW_ANY}", "outboundTrafficPolicy: {tls: {mode: SIMPLE}}",
		"outbound_traffic_policy: {mode: REGISTRY_ONLY}\noutboundTrafficPolicy: null", "x: &p {mode: REGISTRY_ONLY}\noutboundTrafficPolicy: {<<: *p}",
		"outboundTrafficPolicy: {mode: REGISTRY_ONLY}\noutboundTrafficPolicy: {mode: ALLOW_ANY}", "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n---\noutboundTrafficPolicy:\n  mode: ALLOW_ANY",
	} {
		text = strings.TrimRight(before, "\n") + "\n" + text + "\n"
		setMeshText(f, "istio", text)
		config, err := meshconfig.Parse(text)
		if err != nil {
			t.Error(err)
		}
		want := proxyview.PassThrough
		if config.OutboundMode == meshconfig.RegistryOnly {
			want = proxyview.BlackHole
		}
		if err := effect(f, shop, "a", want)(nil); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
}

// The published role lets the provider edit the one ConfigMap, and nothing else
// of the control plane's namespace.
func TestMeshRole(t *testing.T) {
	f := acctest.NewAlone(t)
	f.BindMeshRole()
	for _, c := range []struct {
		verb, name string
		allowed    bool
	}{
		{"get", "istio", true}, {"update", "istio", true}, {"patch", "istio", false}, {"delete", "istio", false},
		{"update", "istio-sidecar-injector", false}, {"get", "istio-ca-root-cert", false}, {"list", "", false}, {"create", "", false},
	} {
		review, err := f.Kube.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User: "system:serviceaccount:terraform:terraform-provider-istio",
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: root, Verb: c.verb, Resource: "configmaps", Name: c.name,
				},
			},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if review.Status.Allowed != c.allowed {
			t.Errorf("%s configmap %q: allowed = %t", c.verb, c.name, review.Status.Allowed)
		}
	}
}

// revisions makes mesh configs that no control plane reads, and lets the
// provider edit them and one that is not there. A nil text is a ConfigMap
// without the key.
func revisions(f *acctest.Fixture, texts map[string]*string) {
	t := f.T()
	published, err := os.ReadFile(filepath.Join(acctest.Root(), "examples", "rbac", "mesh-scope.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"istio-" + f.Suffix + "-none"}
	for revision, text := range texts {
		name := "istio-" + f.Suffix + "-" + revision
		names = append(names, name)
		data := map[string]any{"other": "key"}
		if text != nil {
			data = map[string]any{"mesh": *text}
		}
		object := &unstructured.Unstructured{Object: map[string]any{"data": data}}
		object.SetAPIVersion("v1")
		object.SetKind("ConfigMap")
		object.SetNamespace(root)
		object.SetName(name)
		json, _ := object.MarshalJSON()
		f.Apply(root, string(json))
	}
	f.Apply(root, strings.NewReplacer("[istio]", "["+strings.Join(names, ", ")+"]", ":mesh-scope", ":mesh-scope-"+f.Suffix).Replace(string(published)))
}

// TestMeshWords: what plans say in words, and that a value which somebody has
// changed since stays as it is.
func TestMeshWords(t *testing.T) {
	f := acctest.New(t)
	text := "trustDomain: cluster.local\noutboundTrafficPolicy: {} # closed by hand\n"
	revisions(f, map[string]*string{"left": &text})
	revision := f.Suffix + "-left"
	name := "istio-" + revision
	of := func(mode string) string {
		return f.Config(policy("test", quoted("mode", mode), quoted("revision", revision)))
	}
	const firewall, opened = "REGISTRY_ONLY is no firewall", "Undeclared hosts become reachable"

	w := f.Workspace(f.CLI, of("ALLOW_ANY"))
	w.Expect(acctest.HasChanges, acctest.Plan, opened, "ConfigMap/istio-system/"+name+" says REGISTRY_ONLY today")
	w.Expect(0, acctest.Apply)
	if got := meshText(f, name); got != "trustDomain: cluster.local\noutboundTrafficPolicy: {mode: ALLOW_ANY} # closed by hand\n" {
		t.Errorf("%q", got)
	}
	w.Write("main.tf", of("REGISTRY_ONLY"))
	w.Expect(acctest.HasChanges, acctest.Plan, firewall, "every workload of the mesh (revision "+revision+")", "guides/threat-model")
	w.Expect(0, acctest.Apply)
	if said := w.Expect(acctest.NoChanges, acctest.Plan); strings.Contains(said.Output, firewall) {
		t.Errorf("a plan without changes warns:\n%s", said.Output)
	}
	w.Write("main.tf", of("ALLOW_ANY"))
	w.Expect(acctest.HasChanges, acctest.Plan, opened, "`mode` goes from REGISTRY_ONLY to ALLOW_ANY: every workload of the mesh")
	w.Expect(0, acctest.Apply)

	// What was there is put back as what it meant, never as {}.
	w.Expect(0, acctest.Destroy)
	if got := meshText(f, name); got != "trustDomain: cluster.local\noutboundTrafficPolicy: {mode: REGISTRY_ONLY} # closed by hand\n" {
		t.Errorf("%q", got)
	}

	w.Expect(0, acctest.Apply)
	changed := "trustDomain: cluster.local\noutboundTrafficPolicy: {mode: ALLOW_ANY_DYNAMIC_DNS, tls: {mode: SIMPLE}}\n"
	setMeshText(f, name, changed)
	w.Expect(0, append([]string{"destroy", "-refresh=false"}, acctest.Destroy[1:]...), "was left as it is", `"ALLOW_ANY_DYNAMIC_DNS" by now`)
	if got := meshText(f, name); got != changed {
		t.Errorf("it was written: %q", got)
	}

	// Taken out again it opens what it had closed: the plan of a destroy says so.
	setMeshText(f, name, "trustDomain: cluster.local\n")
	w.Write("main.tf", of("REGISTRY_ONLY"))
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.HasChanges, append([]string{"plan", "-destroy"}, acctest.Plan[1:]...), "Undeclared hosts may become reachable", "Istio's default, ALLOW_ANY")
	w.Expect(0, acctest.Destroy)
	if got := meshText(f, name); got != "trustDomain: cluster.local\n" {
		t.Errorf("%q", got)
	}
}

// What somebody writes between plan and apply is not overwritten unseen.
func TestMeshChangedAfterPlan(t *testing.T) {
	f := acctest.New(t)
	text := "trustDomain: cluster.local\n"
	revisions(f, map[string]*string{"late": &text})
	name := "istio-" + f.Suffix + "-late"
	of := func(mode string, options ...acctest.Option) string {
		return f.Config(policy("test", quoted("mode", mode), quoted("revision", f.Suffix+"-late")), options...)
	}
	w := f.Workspace(f.CLI, of("REGISTRY_ONLY"))
	w.Expect(0, acctest.Apply)
	w.Write("main.tf", of("ALLOW_ANY"))
	w.Expect(acctest.HasChanges, append(slices.Clone(acctest.Plan), "-out=late"))
	changed := text + "outboundTrafficPolicy:\n  mode: ALLOW_ANY_DYNAMIC_DNS\n"
	setMeshText(f, name, changed)
	w.Expect(acctest.Failed, []string{"apply", "-no-color", "late"}, "ConfigMap/istio-system/"+name+" was changed after the plan", `"ALLOW_ANY_DYNAMIC_DNS"`)
	if got := meshText(f, name); got != changed {
		t.Errorf("it was written: %q", got)
	}
	w.Expect(0, acctest.Apply)
	if got := meshText(f, name); got != text+"outboundTrafficPolicy:\n  mode: ALLOW_ANY\n" {
		t.Errorf("%q", got)
	}
	w.Expect(0, acctest.Destroy)
}

// Mesh configs that cannot be edited: the plan says what was looked for, and
// nothing is written.
func TestMeshConfigThatCannotBeEdited(t *testing.T) {
	f := acctest.New(t)
	broken, unknown, shared := "a: [", "outboundTrafficPolicy: {mode: ALLOW_SOME}\n", "outboundTrafficPolicy: {mode: &m ALLOW_ANY}\nx: *m\n"
	revisions(f, map[string]*string{"broken": &broken, "unknown": &unknown, "shared": &shared, "nokey": nil})
	steps := []resource.TestStep{}
	for revision, message := range map[string]string{
		"none":    "key \"mesh\" of ConfigMap " + root + "/istio-" + f.Suffix + "-none: that of revision \"" + f.Suffix + "-none\"",
		"nokey":   "ConfigMap/" + root + "/istio-" + f.Suffix + "-nokey has no key \"mesh\"",
		"broken":  "is not YAML",
		"unknown": "\"ALLOW_SOME\", which istiod does not know",
		"shared":  "cannot be changed without changing something else",
		"secret":  "lack the verb get on configmaps",
	} {
		steps = append(steps, resource.TestStep{
			Config:   f.Config(policy("test", `mode = "REGISTRY_ONLY"`, quoted("revision", f.Suffix+"-"+revision))),
			PlanOnly: true, ExpectError: words(message),
		})
	}
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: f.ProviderFactories(), Steps: steps})
	for name, text := range map[string]string{"broken": broken, "unknown": unknown, "shared": shared} {
		if got := meshText(f, "istio-"+f.Suffix+"-"+name); got != text {
			t.Errorf("%s became %q", name, got)
		}
	}
}

// REGISTRY_ONLY does not bind a namespace in ambient mode: the plan says so.
func TestAmbientNamespace(t *testing.T) {
	f := acctest.New(t)
	shop := f.SourceNamespace("shop")
	f.Edit("Namespace", "", shop, func(live *unstructured.Unstructured) {
		labels := live.GetLabels()
		labels["istio.io/dataplane-mode"] = "ambient"
		live.SetLabels(labels)
	})
	w := f.Workspace(f.CLI, f.Config(policy("test", `mode = "REGISTRY_ONLY"`, quoted("namespace", shop))))
	w.Expect(acctest.HasChanges, acctest.Plan, "Namespaces in ambient mode ignore REGISTRY_ONLY", shop)
}

// A create that is killed after its one write has no state: what was there before
// stands beside the mode, for the import or for the next create of that owner.
func TestMeshCreateThatWasKilled(t *testing.T) {
	f := acctest.New(t)
	text := "trustDomain: cluster.local\noutboundTrafficPolicy: {mode: ALLOW_ANY} # as it came\n"
	revisions(f, map[string]*string{"killed": &text})
	name := "istio-" + f.Suffix + "-killed"
	mesh := policy("test", `mode = "REGISTRY_ONLY"`, quoted("revision", f.Suffix+"-killed"))
	untouched := func() {
		t.Helper()
		live := f.Get("ConfigMap", root, name)
		if got := meshText(f, name); got != text || len(live.GetAnnotations()) > 0 {
			t.Errorf("%q, annotations %v", got, live.GetAnnotations())
		}
	}
	forget := []string{"state", "rm", "istio_outbound_traffic_policy.test"}
	id := "mesh/" + f.Suffix + "-killed"

	w := f.Workspace(f.CLI, f.Config(mesh))
	w.Expect(0, acctest.Apply)
	w.Expect(0, forget)
	w.Expect(acctest.Failed, acctest.Plan, name, "terraform import istio_outbound_traffic_policy."+f.Suffix+"-killed "+id)
	w.Expect(0, []string{"import", "-no-color", "istio_outbound_traffic_policy.test", id})
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
	untouched()

	w.Write("main.tf", f.Config(mesh, acctest.WithAttribute("owner_id", `"killed"`)))
	w.Expect(0, acctest.Apply)
	w.Expect(0, forget)
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
	untouched()
}
