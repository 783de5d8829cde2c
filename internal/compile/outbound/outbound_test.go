package outbound

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

var mesh = compile.Mesh{RootNamespace: "istio-system"}

func ptr(s string) *string { return &s }

// sidecars reads live Sidecars, one YAML document each.
func sidecars(t *testing.T, texts ...string) []*unstructured.Unstructured {
	t.Helper()
	var found []*unstructured.Unstructured
	for _, text := range texts {
		object := map[string]any{}
		if err := yaml.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		live := &unstructured.Unstructured{Object: object}
		live.SetGroupVersionKind(KindSidecar)
		found = append(found, live)
	}
	return found
}

func live(namespace, name, at, spec string) string {
	return "metadata: {namespace: " + namespace + ", name: " + name + ", creationTimestamp: '2026-01-01T00:00:" + at + "Z'}\nspec: " + spec
}

const (
	closed = "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}}"
	opened = "{outboundTrafficPolicy: {mode: ALLOW_ANY}}"
)

func TestScopeAndIdentity(t *testing.T) {
	revisioned := compile.Mesh{Revision: "1-31"}
	for _, c := range []struct {
		policy Policy
		mesh   compile.Mesh
		id     string
		words  string
	}{
		{Policy{}, mesh, "mesh", "every workload of the mesh"},
		{Policy{}, revisioned, "mesh/1-31", "every workload of the mesh (revision 1-31)"},
		{Policy{Revision: ptr("canary")}, revisioned, "mesh/canary", "every workload of the mesh (revision canary)"},
		{Policy{Namespace: ptr("shop")}, revisioned, "namespace/shop", "every workload of namespace shop"},
		{Policy{Namespace: ptr("shop"), Name: ptr("n"), WorkloadSelector: map[string]string{"b": "c", "a": "b"}}, mesh,
			"workload/shop/n", "the workloads a=b,b=c of namespace shop"},
	} {
		identity := c.policy.Identity(c.mesh)
		if got := identity.ImportID(); got != c.id {
			t.Errorf("id %q, want %q", got, c.id)
		}
		if got := c.policy.For(c.mesh); got != c.words {
			t.Errorf("%q, want %q", got, c.words)
		}
		back, err := ParseImportID(c.id)
		if err != nil || cmp.Diff(back, identity) != "" {
			t.Errorf("%s is read as %+v, %v", c.id, back, err)
		}
	}
	for _, id := range []string{"", "mesh/", "mesh/a/b", "namespace", "namespace/", "namespace/a/b", "workload/a", "workload/a/", "workload/a/b/c", "shop", "shop/n"} {
		if identity, err := ParseImportID(id); err == nil {
			t.Errorf("%q is read as %+v", id, identity)
		}
	}
}

func TestValidate(t *testing.T) {
	selector := map[string]string{"app": "a"}
	for name, c := range map[string]struct {
		policy Policy
		at     string
	}{
		"mesh":                       {Policy{}, ""},
		"namespace":                  {Policy{Namespace: ptr("shop")}, ""},
		"workload":                   {Policy{Namespace: ptr("shop"), Name: ptr("n"), WorkloadSelector: selector}, ""},
		"selector without namespace": {Policy{Name: ptr("n"), WorkloadSelector: selector}, "workload_selector"},
		"selector without name":      {Policy{Namespace: ptr("shop"), WorkloadSelector: selector}, "name"},
		"name without selector":      {Policy{Namespace: ptr("shop"), Name: ptr("n")}, "name"},
		"root namespace":             {Policy{Namespace: ptr("istio-system")}, "namespace"},
	} {
		problems := Validate(c.policy, mesh)
		switch {
		case c.at == "" && len(problems) > 0, c.at != "" && (len(problems) != 1 || problems[0].Path[0] != c.at):
			t.Errorf("%s: %v", name, problems)
		}
	}
	for name, problem := range map[string]*compile.Problem{
		"namespace": CheckNamespace("Shop"), "name": CheckName("a/b"), "revision": CheckRevision("a/b"), "empty revision": CheckRevision(""),
		"key": CheckSelector(map[string]string{"-": "a"}), "value": CheckSelector(map[string]string{"app": "a b"}),
	} {
		if problem == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if p := CheckSelector(map[string]string{"app.kubernetes.io/name": "a", "empty": ""}); p != nil {
		t.Error(p)
	}
}

// TestSidecar: a Sidecar repeats what it hides, and says the mode.
func TestSidecar(t *testing.T) {
	root := live("istio-system", "default", "00", `
  egress: [{hosts: ["./*", "istio-system/*"], port: {number: 80, name: http, protocol: HTTP}, bind: null}]
  inboundConnectionPool: {http: {http2MaxRequests: 5}}
  outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: proxy.example}}
`)
	plain := live("shop", "any-name", "01", `{egress: [{hosts: ["~/*"]}]}`)
	labels := "labels: {app.kubernetes.io/managed-by: terraform-provider-istio, app.kubernetes.io/part-of: istio-egress"
	for name, c := range map[string]struct {
		live   []string
		policy Policy
		want   string
	}{
		"nothing to hide": {nil, Policy{Mode: "REGISTRY_ONLY", Namespace: ptr("shop")}, `
metadata: {namespace: shop, name: default, ` + labels + `}}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ["*/*"]}]}`},
		"the root namespace's": {[]string{root}, Policy{Mode: "REGISTRY_ONLY", Namespace: ptr("shop"), Revision: ptr("r")}, `
metadata: {namespace: shop, name: default, ` + labels + `, istio.io/rev: r}}
spec:
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
  egress: [{hosts: ["./*", "istio-system/*"], port: {number: 80, name: http, protocol: HTTP}}]
  inboundConnectionPool: {http: {http2MaxRequests: 5}}`},
		"a proxy for the unknown": {[]string{root}, Policy{Mode: "ALLOW_ANY", Namespace: ptr("shop")}, `
metadata: {namespace: shop, name: default, ` + labels + `}}
spec:
  outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: proxy.example}}
  egress: [{hosts: ["./*", "istio-system/*"], port: {number: 80, name: http, protocol: HTTP}}]
  inboundConnectionPool: {http: {http2MaxRequests: 5}}`},
		"workload, the namespace's": {[]string{root, plain}, Policy{Mode: "REGISTRY_ONLY", Namespace: ptr("shop"), Name: ptr("strict"), WorkloadSelector: map[string]string{"app": "a"}}, `
metadata: {namespace: shop, name: strict, ` + labels + `}}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ["~/*"]}], workloadSelector: {labels: {app: a}}}`},
		"workload, the root namespace's": {[]string{root}, Policy{Mode: "REGISTRY_ONLY", Namespace: ptr("shop"), Name: ptr("strict"), WorkloadSelector: map[string]string{"app": "a"}}, `
metadata: {namespace: shop, name: strict, ` + labels + `}}
spec:
  outboundTrafficPolicy: {mode: REGISTRY_ONLY}
  egress: [{hosts: ["./*", "istio-system/*"], port: {number: 80, name: http, protocol: HTTP}}]
  inboundConnectionPool: {http: {http2MaxRequests: 5}}
  workloadSelector: {labels: {app: a}}`},
		"workload, beside one of the provider's own": {[]string{live("shop", "default, labels: {app.kubernetes.io/managed-by: terraform-provider-istio}", "01", `{egress: [{hosts: ["~/*"]}]}`)},
			Policy{Mode: "REGISTRY_ONLY", Namespace: ptr("shop"), Name: ptr("strict"), WorkloadSelector: map[string]string{"app": "a"}}, `
metadata: {namespace: shop, name: strict, ` + labels + `}}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}, egress: [{hosts: ["*/*"]}], workloadSelector: {labels: {app: a}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			before := sidecars(t, c.live...)
			all := NewSidecars(before, "istio-system", "r")
			got := Sidecar(c.policy, mesh, all.Hidden(c.policy))
			want := sidecars(t, c.want)[0]
			if diff := cmp.Diff(manifest.Canonical(want), manifest.Canonical(got.Body)); diff != "" {
				t.Error(diff)
			}
			for i, untouched := range sidecars(t, c.live...) {
				if diff := cmp.Diff(untouched.Object, before[i].Object); diff != "" {
					t.Errorf("the live Sidecar was changed: %s", diff)
				}
			}
		})
	}
}

// TestEffective is Istio's precedence: who is asked for a workload, and what
// holds if that one says nothing.
func TestEffective(t *testing.T) {
	silent := `{egress: [{hosts: ["*/*"]}]}`
	selecting := func(labels, mode string) string {
		return "{workloadSelector: {labels: {" + labels + "}}, outboundTrafficPolicy: {mode: " + mode + "}}"
	}
	meshClosed := MeshMode{Mode: "REGISTRY_ONLY", Object: "ConfigMap/istio-system/istio"}
	a := map[string]string{"app": "a", "version": "v1"}
	for name, c := range map[string]struct {
		live   []string
		labels map[string]string
		mesh   MeshMode
		want   string // level object mode
	}{
		"nothing anywhere":       {nil, a, MeshMode{}, "default  ALLOW_ANY"},
		"mesh config":            {nil, a, meshClosed, "mesh ConfigMap/istio-system/istio REGISTRY_ONLY"},
		"mesh config unknown":    {nil, a, MeshMode{Unknown: true}, "mesh  "},
		"root":                   {[]string{live("istio-system", "r", "00", opened)}, a, meshClosed, "root_namespace Sidecar/istio-system/r ALLOW_ANY"},
		"root selecting":         {[]string{live("istio-system", "r", "00", selecting("app: a", "ALLOW_ANY"))}, a, meshClosed, "mesh ConfigMap/istio-system/istio REGISTRY_ONLY"},
		"namespace":              {[]string{live("istio-system", "r", "00", opened), live("shop", "ns", "01", closed)}, a, MeshMode{}, "namespace Sidecar/shop/ns REGISTRY_ONLY"},
		"namespace without mode": {[]string{live("istio-system", "r", "00", closed), live("shop", "ns", "01", silent)}, a, MeshMode{}, "default  ALLOW_ANY"},
		"namespace with {}":      {[]string{live("shop", "ns", "01", "{outboundTrafficPolicy: {}}")}, a, MeshMode{}, "namespace Sidecar/shop/ns REGISTRY_ONLY"},
		"oldest":                 {[]string{live("shop", "a", "02", opened), live("shop", "z", "01", closed)}, a, MeshMode{}, "namespace Sidecar/shop/z REGISTRY_ONLY"},
		"same second":            {[]string{live("shop", "z", "01", opened), live("shop", "a", "01", closed)}, a, MeshMode{}, "namespace Sidecar/shop/a REGISTRY_ONLY"},
		"workload":               {[]string{live("shop", "ns", "00", opened), live("shop", "w", "05", selecting("app: a", "REGISTRY_ONLY"))}, a, MeshMode{}, "workload Sidecar/shop/w REGISTRY_ONLY"},
		"another workload":       {[]string{live("shop", "ns", "00", opened), live("shop", "w", "05", selecting("app: b", "REGISTRY_ONLY"))}, a, MeshMode{}, "namespace Sidecar/shop/ns ALLOW_ANY"},
		"other workload, root":   {[]string{live("istio-system", "r", "00", closed), live("shop", "w", "05", selecting("app: b", "ALLOW_ANY"))}, a, MeshMode{}, "root_namespace Sidecar/istio-system/r REGISTRY_ONLY"},
		"empty selector":         {[]string{live("shop", "ns", "00", opened), live("shop", "w", "05", "{workloadSelector: {}, outboundTrafficPolicy: {mode: REGISTRY_ONLY}}")}, nil, MeshMode{}, "workload Sidecar/shop/w REGISTRY_ONLY"},
		"another revision":       {[]string{strings.Replace(live("shop", "ns", "00", closed), "name: ns", "name: ns, labels: {istio.io/rev: other}", 1)}, a, MeshMode{}, "default  ALLOW_ANY"},
	} {
		t.Run(name, func(t *testing.T) {
			got := NewSidecars(sidecars(t, c.live...), "istio-system", "").Of("shop", c.labels, c.mesh)
			if text := string(got.Level) + " " + got.Object + " " + got.Mode; text != c.want {
				t.Errorf("%s, want %s", text, c.want)
			}
		})
	}
}

func TestOverlaps(t *testing.T) {
	p := Policy{Namespace: ptr("shop"), Name: ptr("mine"), WorkloadSelector: map[string]string{"app": "a", "tier": "web"}}
	selecting := func(name, labels string) string {
		return live("shop", name, "00", "{workloadSelector: {labels: {"+labels+"}}}")
	}
	all := NewSidecars(sidecars(t,
		selecting("mine", "app: a"), selecting("wider", "app: a"), selecting("narrower", "app: a, tier: web, x: z"), selecting("other", "app: b"),
		selecting("beside", "x: z"), live("shop", "plain", "00", "{}"), live("shop", "empty", "00", "{workloadSelector: {}}"),
		live("elsewhere", "wider", "00", "{workloadSelector: {labels: {app: a}}}"),
	), "istio-system", "")
	got := map[string]bool{}
	for _, overlap := range all.Overlaps(p) {
		got[overlap.Sidecar.GetName()] = overlap.Certain
	}
	want := map[string]bool{"wider": true, "narrower": true, "beside": false, "empty": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAll(t *testing.T) {
	all := NewSidecars(sidecars(t, live("shop", "default", "00", closed), live("shop", "late", "01", opened)), "istio-system", "").All(MeshMode{})
	if len(all) != 2 || all[1].Name != "late" || all[1].Mode != "REGISTRY_ONLY" || all[1].Object != "Sidecar/shop/default" {
		t.Errorf("%+v", all)
	}
}
