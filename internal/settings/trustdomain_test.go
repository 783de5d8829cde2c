package settings

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

func meshConfig(data map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": "istio-system", "name": "istio"},
		"data":     data,
	}}
}

func TestCompareTrustDomain(t *testing.T) {
	cases := map[string]struct {
		configured string
		data       map[string]any
		live       string
	}{
		"equal":                  {configured: "td.example", data: map[string]any{"mesh": "trustDomain: td.example\n"}},
		"another":                {configured: "cluster.local", data: map[string]any{"mesh": "trustDomain: td.example\n"}, live: "td.example"},
		"the mesh says none":     {configured: "cluster.local", data: map[string]any{"mesh": "enableTracing: true\n"}},
		"the mesh's is Istio's":  {configured: "td.example", data: map[string]any{"mesh": "enableTracing: true\n"}, live: "cluster.local"},
		"no mesh config":         {configured: "td.example", data: map[string]any{}},
		"not a mesh config":      {configured: "td.example", data: map[string]any{"mesh": "a: b: c"}},
		"an alias is not enough": {configured: "old.example", data: map[string]any{"mesh": "trustDomain: td.example\ntrustDomainAliases: [old.example]\n"}, live: "td.example"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			err := compareTrustDomain(compile.Mesh{TrustDomain: c.configured}, meshConfig(c.data))
			if c.live == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var mismatch *TrustDomainError
			if !errors.As(err, &mismatch) || mismatch.Live != c.live || mismatch.Configured != c.configured {
				t.Fatalf("%v", err)
			}
			for _, want := range []string{c.live, c.configured, "istio-system/istio", "`trust_domain`"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("does not say %s: %v", want, err)
				}
			}
		})
	}
}

func TestMeshConfigID(t *testing.T) {
	for revision, want := range map[string]string{
		"": "ConfigMap/root/istio", "default": "ConfigMap/root/istio", "1-31": "ConfigMap/root/istio-1-31",
	} {
		if got := meshConfigID(compile.Mesh{RootNamespace: "root", Revision: revision}).String(); got != want {
			t.Errorf("%q: %s", revision, got)
		}
	}
}
