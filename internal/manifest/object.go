package manifest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is one Kubernetes or Istio object as a resource wants it.
type Object struct {
	// Key names the object in the attributes `manifests` and `drift`. It is
	// known at plan even where the object's name is not: a Gateway is named
	// after a port that apply assigns, its key after the entry it serves.
	Key string
	// Stage orders writes: objects of a lower stage are written, and
	// acknowledged, before objects of a higher one. Deletes go the other way.
	// Objects of one stage may be written in parallel.
	Stage int
	// Body holds apiVersion, kind, metadata {name, namespace, labels,
	// annotations} and whatever else the kind carries. It never holds a null,
	// a status, or the owner annotation, which the engine adds.
	Body *unstructured.Unstructured
	// Shared is set for the object that several resources write with the same
	// content. Its owner is nobody; it goes with its last user.
	Shared *Shared
}

// Shared says who uses a shared object and when two contents cannot be one.
type Shared struct {
	// Version of the content. A live object of a higher version is left alone.
	Version int
	// Users is the kind, Namespace and Selector (label selector in string form) the list in which the users of the
	// object are looked for.
	Users     schema.GroupVersionKind
	Namespace string
	Selector  string
	// InUse reports whether one object of that list needs the shared object.
	InUse func(user *unstructured.Unstructured) bool
	// Compatible returns why the live object cannot be shared with ours (it
	// names both sides), or nil.
	Compatible func(live *unstructured.Unstructured) error
}

// ID is what the API server knows an object by.
type ID struct {
	GVK       schema.GroupVersionKind
	Namespace string
	Name      string
}

// String returns "Kind/namespace/name", or "Kind/name" for what has no namespace.
func (id ID) String() string { return Key(id.GVK.Kind, id.Namespace, id.Name) }

// ID returns the object's identity in the cluster. Two objects with different
// keys can have one ID at different times, so pruning goes by ID.
func (o Object) ID() ID {
	return ID{GVK: o.Body.GroupVersionKind(), Namespace: o.Body.GetNamespace(), Name: o.Body.GetName()}
}

// Key returns the usual key of an object: "Kind/namespace/name".
func Key(kind, namespace, name string) string {
	if namespace == "" {
		return kind + "/" + name
	}
	return kind + "/" + namespace + "/" + name
}
