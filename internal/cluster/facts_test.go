package cluster

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

const serviceEntry = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: up, namespace: $ns}
spec:
  hosts: [httpbin.org]
  location: MESH_EXTERNAL
  resolution: DNS
  ports:
  - {number: 80, name: http-80, protocol: HTTP}
`

func (l *lab) path(id manifest.ID) string {
	l.Helper()
	path, err := pathOf(id.GVK, id.Namespace, id.Name)
	if err != nil {
		l.Fatal(err)
	}
	return strings.Join(path, "/")
}

// ssa applies as a named manager, without any of the engine's guards.
func (l *lab) ssa(manager string, force bool, body *unstructured.Unstructured) (int, map[string]any) {
	l.Helper()
	text, err := json.Marshal(body.Object)
	if err != nil {
		l.Fatal(err)
	}
	id := idOf(body.GroupVersionKind(), body.GetNamespace(), body.GetName())
	query := "?fieldManager=" + manager
	if force {
		query += "&force=true"
	}
	return l.raw("PATCH", l.path(id)+query, string(text), "application/apply-patch+yaml")
}

func with(body *unstructured.Unstructured, value any, fields ...string) *unstructured.Unstructured {
	changed := body.DeepCopy()
	if err := unstructured.SetNestedField(changed.Object, value, fields...); err != nil {
		panic(err)
	}
	return changed
}

// TestFacts holds the behaviour of the API server that the engine is built on.
func TestFacts(t *testing.T) {
	fact := func(name string, check func(l *lab, object manifest.Object)) {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			check(l, l.object(0, serviceEntry))
		})
	}

	fact("apply answers 201 if it created and 200 if not", func(l *lab, o manifest.Object) {
		if code, _ := l.ssa("a", false, o.Body); code != 201 {
			l.Fatalf("first: %d", code)
		}
		if code, _ := l.ssa("a", false, o.Body); code != 200 {
			l.Fatalf("second: %d", code)
		}
	})
	fact("apply with a version that never was creates, or answers 409", func(l *lab, _ manifest.Object) {
		o := l.object(0, istioGateway) // istiod writes the status of a ServiceEntry
		body := o.Body.DeepCopy()
		body.SetResourceVersion(neverVersion)
		if code, answer := l.ssa("a", false, body); code != 201 {
			l.Fatalf("first: %d %v", code, answer)
		}
		before := l.live(o.ID()).GetResourceVersion()
		for _, manager := range []string{"a", "b"} {
			if code, answer := l.ssa(manager, true, body); code != 409 {
				l.Fatalf("second, as %s: %d %v", manager, code, answer)
			}
		}
		if after := l.live(o.ID()).GetResourceVersion(); after != before {
			l.Fatal("the object was written")
		}
	})
	fact("the same holds for a built-in kind", func(l *lab, _ manifest.Object) {
		o := l.object(0, "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: $ns}\nspec: {selector: {a: b}, ports: [{port: 80}]}")
		o.Body.SetResourceVersion(neverVersion)
		if code, answer := l.ssa("a", false, o.Body); code != 201 {
			l.Fatalf("first: %d %v", code, answer)
		}
		if code, answer := l.ssa("a", true, o.Body); code != 409 {
			l.Fatalf("second: %d %v", code, answer)
		}
	})
	fact("apply with a uid does not create", func(l *lab, o manifest.Object) {
		body := with(o.Body, "5e4fbb2c-26d1-4c4e-9f0e-111111111111", "metadata", "uid")
		if code, _ := l.ssa("a", true, body); code != 409 {
			l.Fatalf("%d", code)
		}
		if l.live(o.ID()) != nil {
			l.Fatal("created")
		}
	})
	fact("apply with the uid of another object is refused as stale", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		_, _, err := l.client.apply(l.ctx(), with(o.Body, "5e4fbb2c-26d1-4c4e-9f0e-111111111111", "metadata", "uid"), applyOptions{manager: "b"})
		if !isStale(err) {
			l.Fatal(err)
		}
	})
	fact("an apply that changes nothing leaves the resourceVersion", func(l *lab, _ manifest.Object) {
		o := l.object(0, istioGateway)
		l.ssa("a", false, o.Body)
		before := l.live(o.ID()).GetResourceVersion()
		l.ssa("a", true, o.Body)
		if after := l.live(o.ID()).GetResourceVersion(); after != before {
			l.Fatalf("%s -> %s", before, after)
		}
	})
	fact("force does not remove what others added", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		l.merge(o.ID(), `{"spec":{"exportTo":["*"]}}`)
		l.ssa("a", true, o.Body)
		if _, found, _ := unstructured.NestedSlice(l.live(o.ID()).Object, "spec", "exportTo"); !found {
			l.Fatal("removed: replace would not be needed")
		}
	})
	fact("a stale PUT answers 409", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		stale := l.live(o.ID())
		l.merge(o.ID(), `{"spec":{"exportTo":["*"]}}`)
		text, _ := json.Marshal(stale.Object)
		if code, _ := l.raw("PUT", l.path(o.ID()), string(text)); code != 409 {
			l.Fatalf("%d", code)
		}
	})
	fact("a foreign edit takes the field out of our managedFields", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		l.merge(o.ID(), `{"spec":{"hosts":["evil.example"]}}`)
		for _, m := range ownersOf(l.live(o.ID())) {
			owns := ownedDepth(m.fields, pathsOf([]step{{field: "spec"}, {field: "hosts"}})[0]) == 2
			if owns != (m.manager == "kubectl-edit") {
				l.Fatalf("%s owns spec.hosts: %v", m.manager, owns)
			}
		}
	})
	fact("Istio's custom resources have no defaults", func(l *lab, o manifest.Object) {
		_, answer := l.ssa("a", false, o.Body)
		have, _ := json.Marshal(answer["spec"])
		want, _ := json.Marshal(o.Body.Object["spec"])
		if string(have) != string(want) {
			l.Fatalf("have %s, want %s", have, want)
		}
	})
	fact("quantities are rewritten by the server", func(l *lab, _ manifest.Object) {
		o := l.object(0, gatewayDeployment)
		_, answer := l.ssa("a", false, o.Body)
		containers, _, _ := unstructured.NestedSlice(answer, "spec", "template", "spec", "containers")
		text, _ := json.Marshal(containers)
		if !strings.Contains(string(text), `"cpu":"100m"`) || !strings.Contains(string(text), `"cpu":"2"`) {
			l.Fatalf("%s", text)
		}
	})
	fact("a conflict names manager and path", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		l.merge(o.ID(), `{"spec":{"hosts":["evil.example"]}}`)
		_, _, err := l.client.apply(l.ctx(), o.Body, applyOptions{manager: "a"})
		if lines := managerConflicts(err); len(lines) != 1 || !strings.Contains(lines[0], "kubectl-edit") || !strings.Contains(lines[0], "spec.hosts") {
			l.Fatalf("%v: %v", lines, err)
		}
	})
	fact("a manager never conflicts with itself", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		if code, _ := l.ssa("a", false, with(o.Body, []any{"other.example"}, "spec", "hosts")); code != 200 {
			l.Fatalf("%d", code)
		}
	})
	fact("apply onto an object that is being deleted is accepted and lost", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		l.merge(o.ID(), `{"metadata":{"finalizers":["example.com/hold"]}}`)
		l.raw("DELETE", l.path(o.ID()), "")
		code, answer := l.ssa("a", false, o.Body)
		if stamp, _, _ := unstructured.NestedString(answer, "metadata", "deletionTimestamp"); code != 200 || stamp == "" {
			l.Fatalf("%d %v", code, answer)
		}
		l.merge(o.ID(), `{"metadata":{"finalizers":null}}`)
		if l.live(o.ID()) != nil {
			l.Fatal("not lost")
		}
	})
	fact("errors of input come as a 500", func(l *lab, o manifest.Object) {
		port := map[string]any{"number": int64(80), "name": "twice", "protocol": "HTTP"}
		body := with(o.Body, []any{port, port}, "spec", "ports")
		_, _, err := l.client.apply(l.ctx(), body, applyOptions{manager: "a"})
		if status, ok := statusOf(err); !ok || status.Code != 500 || classify(err).retry {
			l.Fatalf("%v", err)
		}
	})
	fact("a missing namespace is a 404 of its own", func(l *lab, o manifest.Object) {
		o.Body.SetNamespace("nowhere")
		_, _, err := l.client.apply(l.ctx(), o.Body, applyOptions{manager: "a"})
		if !isNoNamespace(err) || isGone(err) || isNoKind(err) {
			l.Fatalf("%v", err)
		}
	})
	fact("a missing object is a 404 of its own", func(l *lab, o manifest.Object) {
		if _, err := l.client.get(l.ctx(), o.ID()); !isGone(err) {
			l.Fatalf("%v", err)
		}
		id := o.ID()
		id.Namespace = "nowhere"
		if _, err := l.client.get(l.ctx(), id); !isGone(err) {
			l.Fatalf("%v", err)
		}
	})
	fact("a missing CRD is a 404 in plain text", func(l *lab, _ manifest.Object) {
		_, _, err := send(l.ctx(), l.client.rest.Get().AbsPath("/apis/networking.istio.io/v1/namespaces/x/nothings/y"))
		if !isNoKind(err) || isGone(err) {
			l.Fatalf("%v", err)
		}
	})
	fact("a namespace that is being deleted answers 403 with a cause", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		l.merge(o.ID(), `{"metadata":{"finalizers":["example.com/hold"]}}`)
		l.raw("DELETE", "/api/v1/namespaces/"+l.namespace, "")
		o.Body.SetName("another")
		_, _, err := l.client.apply(l.ctx(), o.Body, applyOptions{manager: "a"})
		if !isTerminating(err) {
			l.Fatalf("%v", err)
		}
		o.Body.SetName("up")
		l.merge(o.ID(), `{"metadata":{"finalizers":null}}`)
	})
	fact("strict field validation refuses unknown fields", func(l *lab, o manifest.Object) {
		_, _, err := l.client.apply(l.ctx(), with(o.Body, "x", "spec", "fieldOfTomorrow"), applyOptions{manager: "a"})
		if err == nil || !strings.Contains(err.Error(), "fieldOfTomorrow") {
			l.Fatalf("%v", err)
		}
	})
	fact("a DELETE with a stale uid or version answers 409", func(l *lab, o manifest.Object) {
		l.ssa("a", false, o.Body)
		seen := l.live(o.ID())
		other := seen.DeepCopy()
		other.SetUID("5e4fbb2c-26d1-4c4e-9f0e-111111111111")
		if _, err := l.client.remove(l.ctx(), o.ID(), other); !isStale(err) {
			l.Fatalf("uid: %v", err)
		}
		l.merge(o.ID(), `{"spec":{"exportTo":["*"]}}`)
		if _, err := l.client.remove(l.ctx(), o.ID(), seen); !isStale(err) {
			l.Fatalf("version: %v", err)
		}
		if l.live(o.ID()) == nil {
			l.Fatal("deleted")
		}
	})
}
