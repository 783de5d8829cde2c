package cluster

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// byHost finds DestinationRules by spec.host.
var byHost = &Index{Keys: func(object *unstructured.Unstructured) []string {
	host, _, _ := unstructured.NestedString(object.Object, "spec", "host")
	return []string{host, host, "namespace " + object.GetNamespace()}
}}

var ruleKind = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "DestinationRule"}

const ruleOf = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: %s, namespace: $ns}
spec: {host: %s}
`

func namesOf(objects []*unstructured.Unstructured) []string {
	var names []string
	for _, object := range objects {
		names = append(names, object.GetName())
	}
	return names
}

// TestFind: any number of questions are one LIST, and what is found says who
// wrote it though it carries no managedFields.
func TestFind(t *testing.T) {
	l := newLab(t)
	for name, host := range map[string]string{"a": "a.example", "b": "b.example", "c": "c.example"} {
		l.ssa("kubectl", false, l.object(0, fmt.Sprintf(ruleOf, name, host)).Body)
	}
	mark := l.mark()
	var done sync.WaitGroup
	for range 10 {
		done.Go(func() {
			found, err := l.client.Find(l.ctx(), ruleKind, byHost, []string{"b.example", "a.example", "b.example", "x.example"}, nil)
			if diff := cmp.Diff([]string{"b", "a"}, namesOf(found.Objects)); err != nil || diff != "" || len(found.Refused) > 0 {
				t.Error(err, found.Refused, diff)
				return
			}
			for _, object := range found.Objects {
				if len(object.GetManagedFields()) > 0 {
					t.Error("managedFields are kept")
				}
				if diff := cmp.Diff([]string{"kubectl"}, l.client.Managers(object)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	done.Wait()
	if diff := cmp.Diff(map[string]int{"list networking.istio.io/destinationrules": 1}, l.requests(mark, l.client)); diff != "" {
		t.Error(diff)
	}
	fresh, err := l.client.Get(l.ctx(), idOf(ruleKind, l.namespace, "a"))
	if diff := cmp.Diff([]string{"kubectl"}, l.client.Managers(fresh)); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// TestFindWithRBAC: what may not be listed is named, and the rest is found.
func TestFindWithRBAC(t *testing.T) {
	l := newLab(t)
	l.ssa("kubectl", false, l.object(0, fmt.Sprintf(ruleOf, "a", "a.example")).Body)
	client := l.as(`{"apiGroups":["networking.istio.io"],"resources":["destinationrules"],"verbs":["list"]}`, "")
	found, err := client.Find(l.ctx(), ruleKind, byHost, []string{"a.example"}, []string{l.namespace, "default"})
	if diff := cmp.Diff([]string{"a"}, namesOf(found.Objects)); err != nil || diff != "" {
		t.Error(err, diff)
	}
	want := []string{"list destinationrules.networking.istio.io in all namespaces", "list destinationrules.networking.istio.io in namespace default"}
	if diff := cmp.Diff(want, found.Refused); diff != "" {
		t.Error(diff)
	}
	if _, err := client.Find(l.ctx(), schema.GroupVersionKind{Version: "v1", Kind: "Elsewhere"}, byHost, nil, nil); err == nil {
		t.Error("a kind that the provider does not know was listed")
	}
}

// TestSecretKeys: keys, never values; one request however many ask.
func TestSecretKeys(t *testing.T) {
	l := newLab(t)
	code, answer := l.raw("POST", "/api/v1/namespaces/"+l.namespace+"/secrets", `{"metadata":{"name":"s"},"stringData":{"tls.key":"value","ca.crt":"","tls.crt":"x"}}`)
	if code != 201 {
		t.Fatal(code, answer)
	}
	mark := l.mark()
	var done sync.WaitGroup
	for range 5 {
		done.Go(func() {
			look, err := l.client.GlanceSecret(l.ctx(), l.namespace, "s")
			if diff := cmp.Diff(SecretLook{Exists: true, Keys: []string{"tls.crt", "tls.key"}}, look); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
	done.Wait()
	if look, err := l.client.GlanceSecret(l.ctx(), l.namespace, "none"); err != nil || look.Exists || look.Refused != "" {
		t.Error(look, err)
	}
	if diff := cmp.Diff(map[string]int{"get secrets": 2}, l.requests(mark, l.client)); diff != "" {
		t.Error(diff)
	}
	look, err := l.as("", "").LookAtSecret(context.Background(), l.namespace, "s")
	if want := "get secrets in namespace " + l.namespace; err != nil || look.Exists || look.Refused != want {
		t.Error(look, err)
	}
}
