package conflict_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// crowd returns policies of one gateway in fifty namespaces: each has a host of
// its own, and one that others have too.
func crowd(n int, common func(team int) string) []policy.Policy {
	all := make([]policy.Policy, n)
	for i := range all {
		app := map[string]string{"app": fmt.Sprintf("app-%d", i)}
		all[i] = policy.Policy{
			Name: fmt.Sprintf("policy-%d", i), UnselectedWorkloads: policy.Deny,
			ByEgressGateway: &compile.Reference{Name: "gw", Namespace: "istio-egress"},
			EgressRules: []policy.Rule{{
				From: []policy.From{{Namespace: fmt.Sprintf("team-%d", i%50), WorkloadSelector: app}},
				To: []policy.To{
					{Name: "own", Hosts: []string{fmt.Sprintf("host-%d.example", i)}, Port: policy.Port{Name: "https", Number: 443, Protocol: policy.HTTPS}},
					{Name: "shared", Hosts: []string{common(i % 50)}, Port: policy.Port{Name: "http", Number: 80, Protocol: policy.HTTP}},
				},
			}},
		}
	}
	return all
}

// BenchmarkThousandPolicies checks each of a thousand policies against the
// objects of all: file them once, and ask for each what it can meet.
func BenchmarkThousandPolicies(b *testing.B) {
	b.Run("a host of each team", func(b *testing.B) {
		benchmark(b, crowd(1000, func(team int) string { return fmt.Sprintf("shared-%d.example", team) }))
	})
	// Then every policy has to compare its ServiceEntry with those of all.
	b.Run("one host of all", func(b *testing.B) {
		benchmark(b, crowd(1000, func(int) string { return "shared.example" }))
	})
}

func benchmark(b *testing.B, policies []policy.Policy) {
	var live []*unstructured.Unstructured
	objects := make([][]manifest.Object, len(policies))
	of := map[*unstructured.Unstructured]string{}
	for i, p := range policies {
		objects[i], _ = policy.Preview(p, defaultMesh, nil)
		for _, object := range objects[i] {
			live = append(live, object.Body)
			of[object.Body] = p.Name
		}
	}
	b.ReportMetric(float64(len(live)), "objects")
	for b.Loop() {
		filed := index(live)
		for i, p := range policies {
			in := conflict.Input{
				Policy: p, Mesh: defaultMesh, Objects: objects[i],
				Holder: func(object *unstructured.Unstructured) conflict.Holder {
					return conflict.Holder{Own: of[object] == p.Name, Ours: true, Name: of[object]}
				},
			}
			in.Live = found(in, filed)
			if met := conflict.Check(in); len(met) > 0 {
				b.Fatal(met[0].Summary, met[0].Detail)
			}
		}
	}
}
