package acctest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/permit"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// kinds are the kinds that tests and examples write, by kind.
var kinds = map[string]struct {
	resource      schema.GroupVersionResource
	clusterScoped bool
	foreign       bool // no resource of the provider makes such an object
}{
	"Namespace":               {resource: gvr("", "v1", "namespaces"), clusterScoped: true, foreign: true},
	"ClusterRole":             {resource: gvr("rbac.authorization.k8s.io", "v1", "clusterroles"), clusterScoped: true, foreign: true},
	"ClusterRoleBinding":      {resource: gvr("rbac.authorization.k8s.io", "v1", "clusterrolebindings"), clusterScoped: true, foreign: true},
	"ConfigMap":               {resource: gvr("", "v1", "configmaps"), foreign: true},
	"Secret":                  {resource: gvr("", "v1", "secrets"), foreign: true},
	"ResourceQuota":           {resource: gvr("", "v1", "resourcequotas"), foreign: true},
	"Sidecar":                 {resource: gvr("networking.istio.io", "v1", "sidecars")},
	"ServiceAccount":          {resource: gvr("", "v1", "serviceaccounts")},
	"Service":                 {resource: gvr("", "v1", "services")},
	"Deployment":              {resource: gvr("apps", "v1", "deployments")},
	"Role":                    {resource: gvr("rbac.authorization.k8s.io", "v1", "roles")},
	"RoleBinding":             {resource: gvr("rbac.authorization.k8s.io", "v1", "rolebindings")},
	"HorizontalPodAutoscaler": {resource: gvr("autoscaling", "v2", "horizontalpodautoscalers")},
	"PodDisruptionBudget":     {resource: gvr("policy", "v1", "poddisruptionbudgets")},
	"NetworkPolicy":           {resource: gvr("networking.k8s.io", "v1", "networkpolicies")},
	"AuthorizationPolicy":     {resource: gvr("security.istio.io", "v1", "authorizationpolicies")},
	"Telemetry":               {resource: gvr("telemetry.istio.io", "v1", "telemetries")},
	"Gateway":                 {resource: gvr("networking.istio.io", "v1", "gateways")},
	"ServiceEntry":            {resource: gvr("networking.istio.io", "v1", "serviceentries")},
	"VirtualService":          {resource: gvr("networking.istio.io", "v1", "virtualservices")},
	"DestinationRule":         {resource: gvr("networking.istio.io", "v1", "destinationrules")},
}

func gvr(group, version, resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
}

// client returns the administrator's client for a kind in a namespace.
func (f *Fixture) client(kind, namespace string) dynamic.ResourceInterface {
	f.t.Helper()
	k, ok := kinds[kind]
	if !ok {
		f.t.Fatalf("acctest does not know the kind %s: add it to kinds", kind)
	}
	if k.clusterScoped {
		return f.Dynamic.Resource(k.resource)
	}
	return f.Dynamic.Resource(k.resource).Namespace(namespace)
}

// Get returns a live object, or nil if there is none.
func (f *Fixture) Get(kind, namespace, name string) *unstructured.Unstructured {
	f.t.Helper()
	object, err := f.client(kind, namespace).Get(f.t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		f.t.Fatalf("get %s %s/%s: %v", kind, namespace, name, err)
	}
	return object
}

// Edit changes a live object behind the provider's back, as field manager
// kubectl-edit, the way `kubectl edit` does.
func (f *Fixture) Edit(kind, namespace, name string, edit func(*unstructured.Unstructured)) {
	f.t.Helper()
	client := f.client(kind, namespace)
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		object, err := client.Get(f.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		edit(object)
		_, err = client.Update(f.t.Context(), object, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
		return err
	})
	if err != nil {
		f.t.Fatalf("edit %s %s/%s: %v", kind, namespace, name, err)
	}
}

// Delete deletes an object behind the provider's back.
func (f *Fixture) Delete(kind, namespace, name string) {
	f.t.Helper()
	if err := f.client(kind, namespace).Delete(f.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		f.t.Fatalf("delete %s %s/%s: %v", kind, namespace, name, err)
	}
}

// Apply creates the objects of a YAML text as somebody else's: field manager
// kubectl, no labels or annotations of ours but those in the text. Objects
// without a namespace go into the given one.
func (f *Fixture) Apply(namespace, text string) []*unstructured.Unstructured {
	f.t.Helper()
	objects, err := parse(text)
	if err != nil {
		f.t.Fatal(err)
	}
	for i, object := range objects {
		if object.GetNamespace() == "" && !kinds[object.GetKind()].clusterScoped {
			object.SetNamespace(namespace)
		}
		objects[i], err = f.client(object.GetKind(), object.GetNamespace()).Apply(f.t.Context(), object.GetName(), object,
			metav1.ApplyOptions{FieldManager: "kubectl", Force: true})
		if err != nil {
			f.t.Fatalf("apply %s: %v", ID(object), err)
		}
	}
	if err := permitted(f.t.Context(), f.Kube, objects); err != nil {
		f.t.Fatal(err)
	}
	return objects
}

// permitted waits until the roles that objects bind are in force.
func permitted(ctx context.Context, kube kubernetes.Interface, objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		var err error
		switch object.GetKind() {
		case "RoleBinding":
			err = permit.Role(ctx, kube, object.GetNamespace(), object.GetName())
		case "ClusterRoleBinding":
			err = permit.ClusterRole(ctx, kube, object.GetName())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", ID(object), err)
		}
	}
	return nil
}

// ApplyFile is Apply of a file.
func (f *Fixture) ApplyFile(namespace, path string) []*unstructured.Unstructured {
	f.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.Apply(namespace, string(text))
}

// ID returns "Kind/namespace/name".
func ID(object *unstructured.Unstructured) string {
	parts := []string{object.GetKind(), object.GetNamespace(), object.GetName()}
	if parts[1] == "" {
		parts = []string{parts[0], parts[2]}
	}
	return strings.Join(parts, "/")
}

// Managed returns the objects in this test's namespaces that carry the
// provider's label, ordered by ID.
func (f *Fixture) Managed() []*unstructured.Unstructured {
	f.t.Helper()
	var found []*unstructured.Unstructured
	for _, namespace := range f.Namespaces() {
		objects, err := f.managed(namespace)
		if err != nil {
			f.t.Fatal(err)
		}
		found = append(found, objects...)
	}
	sort.Slice(found, func(i, j int) bool { return ID(found[i]) < ID(found[j]) })
	return found
}

// ManagedIDs returns the IDs of Managed.
func (f *Fixture) ManagedIDs() []string {
	f.t.Helper()
	ids := []string{}
	for _, object := range f.Managed() {
		ids = append(ids, ID(object))
	}
	return ids
}

func (f *Fixture) managed(namespace string) ([]*unstructured.Unstructured, error) {
	var found []*unstructured.Unstructured
	for kind, k := range kinds {
		if k.foreign {
			continue
		}
		list, err := f.client(kind, namespace).List(f.t.Context(), metav1.ListOptions{
			LabelSelector: compile.LabelManagedBy + "=" + compile.ProviderName,
		})
		if err != nil {
			return nil, fmt.Errorf("list %s in %s: %w", kind, namespace, err)
		}
		for i := range list.Items {
			found = append(found, &list.Items[i])
		}
	}
	return found, nil
}

// CheckNothingLeft fails when an object of the provider is left in a namespace
// of this test. It has the form of a TestCase's CheckDestroy.
func (f *Fixture) CheckNothingLeft(*terraform.State) error {
	var left []string
	for _, object := range f.Managed() {
		left = append(left, ID(object))
	}
	if len(left) > 0 {
		return fmt.Errorf("destroy has left %d objects:\n  %s", len(left), strings.Join(left, "\n  "))
	}
	return nil
}

// Snapshot remembers every object of every kind in this test's namespaces that
// is not the provider's, byte for byte.
type Snapshot map[string]string

// TakeSnapshot remembers the foreign objects of the given kinds.
func (f *Fixture) TakeSnapshot(kindNames ...string) Snapshot {
	f.t.Helper()
	snapshot := Snapshot{}
	for _, namespace := range f.Namespaces() {
		for _, kind := range kindNames {
			list, err := f.client(kind, namespace).List(f.t.Context(), metav1.ListOptions{
				LabelSelector: compile.LabelManagedBy + "!=" + compile.ProviderName,
			})
			if err != nil {
				f.t.Fatalf("list %s in %s: %v", kind, namespace, err)
			}
			for i := range list.Items {
				text, err := json.Marshal(list.Items[i].Object)
				if err != nil {
					f.t.Fatal(err)
				}
				snapshot[ID(&list.Items[i])] = string(text)
			}
		}
	}
	return snapshot
}

// CheckUntouched fails when a foreign object has changed in any byte, managed
// fields and resourceVersion included, has gone, or has been added.
func (f *Fixture) CheckUntouched(before Snapshot, kindNames ...string) {
	f.t.Helper()
	if diff := cmp.Diff(before, f.TakeSnapshot(kindNames...)); diff != "" {
		f.t.Errorf("foreign objects were touched (-before +after):\n%s", diff)
	}
}

// parse reads the documents of a YAML text.
func parse(text string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("parse YAML: %w\n%s", err, text)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}
