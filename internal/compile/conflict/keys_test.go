package conflict_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
)

// index files objects under their keys.
func index(objects []*unstructured.Unstructured) map[string][]*unstructured.Unstructured {
	filed := map[string][]*unstructured.Unstructured{}
	for _, object := range objects {
		for _, key := range conflict.Keys(object) {
			key = object.GetKind() + " " + key
			filed[key] = append(filed[key], object)
		}
	}
	return filed
}

// found returns the objects that a policy asks for, each once.
func found(in conflict.Input, filed map[string][]*unstructured.Unstructured) conflict.Live {
	live := conflict.Live{Secrets: in.Live.Secrets}
	seen := map[*unstructured.Unstructured]bool{}
	for kind, keys := range conflict.Asks(in.Policy, in.Mesh, in.Ports) {
		for _, key := range keys {
			for _, object := range filed[kind+" "+key] {
				if !seen[object] {
					seen[object] = true
					live.Add(object)
				}
			}
		}
	}
	return live
}

// told writes conflicts in an order of their own: that of the objects is the
// caller's.
func told(conflicts []conflict.Conflict) []string {
	var lines []string
	for _, c := range conflicts {
		lines = append(lines, level(c)+" "+compile.PathText(c.Path)+" "+c.Summary+": "+c.Detail)
	}
	slices.Sort(lines)
	return lines
}

func TestKeysOfEachCase(t *testing.T) {
	for name, r := range rules(t) {
		for _, s := range r.Cases {
			t.Run(name+"/"+strings.ReplaceAll(s.Name, " ", "_"), func(t *testing.T) {
				in := s.input(s.objects(t))
				want := told(conflict.Check(in))
				in.Live = found(in, index(s.objects(t)))
				if diff := cmp.Diff(want, told(conflict.Check(in))); diff != "" {
					t.Errorf("what is asked for is not all that is met:\n%s", diff)
				}
			})
		}
	}
}

// Any objects of all cases together, and any policy: what it asks for is all
// that it meets.
func TestKeysMissNothing(t *testing.T) {
	var pool []*unstructured.Unstructured
	for _, r := range rules(t) {
		for _, s := range r.Cases {
			pool = append(pool, s.objects(t)...)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := randomPolicy(rt, "payments")
		// A name is met once: the cases' objects share some.
		objects := rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, 60, func(o *unstructured.Unstructured) string {
			return o.GetKind() + "/" + o.GetNamespace() + "/" + o.GetName()
		}).Draw(rt, "objects")
		objects = append(objects, compiled(t, randomPolicy(rt, "other"), defaultMesh)...)
		in := conflict.Input{Policy: p, Mesh: defaultMesh, Holder: holder}
		for _, object := range objects {
			in.Live.Add(object)
		}
		want := slices.Compact(told(conflict.Check(in)))
		in.Live = found(in, index(objects))
		if diff := cmp.Diff(want, slices.Compact(told(conflict.Check(in)))); diff != "" {
			rt.Errorf("what is asked for is not all that is met:\n%s", diff)
		}
	})
}

// What no policy can meet has no key, and so costs nobody anything.
func TestObjectsWithoutKeys(t *testing.T) {
	s := situation{Live: []map[string]any{
		{"kind": "Service", "metadata": map[string]any{"name": "a", "namespace": "b"}, "spec": map[string]any{"ports": []any{map[string]any{"port": 80}}}},
		{"kind": "AuthorizationPolicy", "metadata": map[string]any{"name": "a", "namespace": "b", "labels": map[string]any{"app.kubernetes.io/managed-by": "terraform-provider-istio"}}},
		{"kind": "AuthorizationPolicy", "metadata": map[string]any{"name": "a", "namespace": "b"}, "spec": map[string]any{"targetRefs": []any{map[string]any{"kind": "Gateway"}}}},
		{"kind": "ConfigMap", "metadata": map[string]any{"name": "a", "namespace": "b"}},
	}}
	for _, object := range s.objects(t) {
		if keys := conflict.Keys(object); len(keys) > 0 {
			t.Errorf("%s has the keys %q", object.GetKind(), keys)
		}
	}
}
