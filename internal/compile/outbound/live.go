package outbound

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// KindSidecar is the kind that this package compiles to and reads.
var KindSidecar = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "Sidecar"}

// Sidecars are the live Sidecars of a mesh, those of the namespaces that are
// asked about and of the root namespace at least, in the order in which istiod
// looks at them.
type Sidecars struct {
	root string
	all  []*unstructured.Unstructured
}

// NewSidecars sorts live Sidecars as istiod does: the oldest first, then by
// name (pilot/pkg/model/config.go, sortConfigByCreationTime). It leaves out
// those that a control plane of the revision does not read
// (istio.io/istio/pkg/config, ObjectInRevision).
func NewSidecars(live []*unstructured.Unstructured, root, revision string) Sidecars {
	if revision == "" {
		revision = "default"
	}
	s := Sidecars{root: root}
	for _, sidecar := range live {
		if label, ok := sidecar.GetLabels()[compile.LabelRevision]; !ok || label == revision {
			s.all = append(s.all, sidecar)
		}
	}
	slices.SortStableFunc(s.all, func(a, b *unstructured.Unstructured) int {
		at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp()
		switch {
		case at.Before(&bt):
			return -1
		case bt.Before(&at):
			return 1
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	return s
}

// Selector returns the labels of a Sidecar's selector. An empty selector is one
// all the same: it goes before the Sidecars without, and selects everything
// (pilot/pkg/model/push_context.go, initSidecarScopes).
func Selector(sidecar *unstructured.Unstructured) (map[string]string, bool) {
	selector, ok, _ := unstructured.NestedMap(sidecar.Object, "spec", "workloadSelector")
	if !ok || selector == nil {
		return nil, false
	}
	labels, _, _ := unstructured.NestedStringMap(sidecar.Object, "spec", "workloadSelector", "labels")
	return labels, true
}

// Plain returns the Sidecar of a namespace without a selector that counts, the
// oldest; nil if there is none.
func (s Sidecars) Plain(namespace string) *unstructured.Unstructured {
	for _, sidecar := range s.all {
		if _, selecting := Selector(sidecar); !selecting && sidecar.GetNamespace() == namespace {
			return sidecar
		}
	}
	return nil
}

// Root returns the root namespace's Sidecar without a selector.
func (s Sidecars) Root() *unstructured.Unstructured { return s.Plain(s.root) }

// selecting returns the Sidecars of a namespace that have a selector.
func (s Sidecars) selecting(namespace string) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, sidecar := range s.all {
		if _, ok := Selector(sidecar); ok && sidecar.GetNamespace() == namespace {
			found = append(found, sidecar)
		}
	}
	return found
}
