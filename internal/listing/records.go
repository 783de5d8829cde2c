package listing

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// byResource finds the objects that carry the intent of an instance, by the
// type of its resource.
var byResource = &cluster.Index{Keys: func(object *unstructured.Unstructured) []string {
	owner, owned := cluster.OwnerOf(object)
	if _, has := object.GetAnnotations()[compile.AnnotationSpec]; !owned || !has {
		return nil
	}
	return []string{owner.Resource}
}}

// Records returns the objects of a kind that carry the intent of an instance
// of the resource, in all namespaces or in the given one. It asks for one LIST
// in the life of the process, however many instances there are; what it returns
// is shared: do not change it.
func Records(ctx context.Context, client *cluster.Client, gvk schema.GroupVersionKind, namespace, resource string) ([]*unstructured.Unstructured, error) {
	return client.GlanceAt(ctx, gvk, namespace, byResource, resource)
}
