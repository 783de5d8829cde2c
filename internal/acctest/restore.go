package acctest

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Restore makes the objects of a YAML text as the provider once applied them:
// each under the field manager of the owner that it names.
func (f *Fixture) Restore(text string) {
	f.t.Helper()
	objects, err := parse(text)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, object := range objects {
		manager := "kubectl"
		owner, owned := cluster.OwnerOf(object)
		switch {
		case owned:
			manager = compile.ProviderName + ":" + owner.Nonce
		case object.GetLabels()[compile.LabelManagedBy] == compile.ProviderName:
			manager = compile.ProviderName // shared by policies
		}
		_, err := f.client(object.GetKind(), object.GetNamespace()).Apply(f.t.Context(), object.GetName(), object,
			metav1.ApplyOptions{FieldManager: manager, Force: true})
		if err != nil {
			f.t.Fatalf("restore %s: %v", ID(object), err)
		}
	}
}

// Record returns objects as YAML for Restore, without what the API server and
// the controllers add.
func (f *Fixture) Record(objects []*unstructured.Unstructured) string {
	f.t.Helper()
	text := ""
	for _, live := range objects {
		object := live.DeepCopy()
		delete(object.Object, "status")
		for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences"} {
			unstructured.RemoveNestedField(object.Object, "metadata", field)
		}
		switch object.GetKind() {
		case "Service":
			unstructured.RemoveNestedField(object.Object, "spec", "clusterIP")
			unstructured.RemoveNestedField(object.Object, "spec", "clusterIPs")
		case "Deployment":
			unstructured.RemoveNestedField(object.Object, "metadata", "annotations", "deployment.kubernetes.io/revision")
		}
		document, err := yaml.Marshal(object.Object)
		if err != nil {
			f.t.Fatal(err)
		}
		text += "---\n" + string(document)
	}
	return text
}
