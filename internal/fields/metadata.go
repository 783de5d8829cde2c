package fields

import "strings"

// Bookkeeping are the fields of metadata that the API server and controllers
// keep about an object.
// Source: k8s.io/apimachinery/pkg/apis/meta/v1, ObjectMeta.
var Bookkeeping = []string{
	"uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields",
	"finalizers", "ownerReferences", "generateName",
}

// toolKeys begin the labels and annotations by which tools keep track of what
// they have applied. They end with the object.
var toolKeys = []string{
	"kubectl.kubernetes.io/", "app.kubernetes.io/managed-by", "meta.helm.sh/", "helm.sh/",
	"argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/",
}

// Tracked reports whether a label or annotation is a tool's.
func Tracked(key string) bool {
	for _, prefix := range toolKeys {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
