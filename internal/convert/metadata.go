package convert

import "strings"

// bookkeeping are the fields of metadata that the API server and controllers
// keep about the custom resource itself.
// Source: k8s.io/apimachinery/pkg/apis/meta/v1, ObjectMeta.
var bookkeeping = []string{
	"uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields",
	"finalizers", "ownerReferences", "generateName",
}

// toolKeys begin the labels and annotations by which tools keep track of what
// they have applied. They end with the custom resource.
var toolKeys = []string{
	"kubectl.kubernetes.io/", "app.kubernetes.io/managed-by", "meta.helm.sh/", "helm.sh/",
	"argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/",
}

// metadata returns name and namespace of the custom resource.
func metadata(o *object) (name string, namespace field) {
	m := o.take("metadata").object()
	name = m.take("name").requiredText()
	namespace = m.take("namespace")
	for _, noun := range []string{"labels", "annotations"} {
		keys := m.take(noun).object()
		for _, key := range keys.keys {
			if !trackedBy(key) {
				keys.take(key).fail("%s of the custom resource itself have no counterpart; take it out", noun)
			}
		}
	}
	m.ignore(bookkeeping...)
	m.done()
	return name, namespace
}

func trackedBy(key string) bool {
	for _, prefix := range toolKeys {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
