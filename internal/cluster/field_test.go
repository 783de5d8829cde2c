package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

var sidecarKind = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "Sidecar"}

// helmSidecar makes a Sidecar as Helm does, with an outboundTrafficPolicy if
// one is given.
func (l *lab) helmSidecar(name, outbound string) Field {
	l.Helper()
	if outbound != "" {
		outbound = `,"outboundTrafficPolicy":` + outbound
	}
	code, answer := l.raw("POST", "/apis/networking.istio.io/v1/namespaces/"+l.namespace+"/sidecars?fieldManager=helm", fmt.Sprintf(
		`{"apiVersion":"networking.istio.io/v1","kind":"Sidecar","metadata":{"name":%q},"spec":{"egress":[{"hosts":["./*"]}]%s}}`, name, outbound))
	if code != 201 {
		l.Fatal(code, answer)
	}
	return l.modeField(name)
}

func (l *lab) modeField(name string) Field {
	return Field{
		Owner: Owner{Resource: "istio_outbound_traffic_policy", ImportID: "namespace/" + l.namespace, Nonce: NewNonce()},
		ID:    manifest.ID{GVK: sidecarKind, Namespace: l.namespace, Name: name},
		Path:  []string{"spec", "outboundTrafficPolicy", "mode"},
	}
}

func (l *lab) mustSet(f Field, value, previous string) {
	l.Helper()
	was, err := l.client.SetField(l.ctx(), f, value, nil)
	if err != nil || was != previous {
		l.Fatalf("was %q, %v", was, err)
	}
	if live := l.live(f.ID); f.value(live) != value {
		l.Fatalf("it is %q", f.value(live))
	}
}

func (l *lab) mustRelease(f Field, value, previous, reason string) *unstructured.Unstructured {
	l.Helper()
	stays, err := l.client.ReleaseField(l.ctx(), f, value, previous)
	if err != nil || reason == "" && stays != "" || !strings.Contains(stays, reason) {
		l.Fatalf("stays %q, %v", stays, err)
	}
	live := l.live(f.ID)
	for _, name := range FieldManagers(live, f.Path...) {
		if name == f.Owner.manager() {
			l.Error("the field is still ours")
		}
	}
	return live
}

// One field comes and goes, and the object is what it was, with who set what.
func TestFieldOfForeignObject(t *testing.T) {
	l := newLab(t)
	f := l.helmSidecar("default", "")
	before := l.live(f.ID)
	l.mustSet(f, "REGISTRY_ONLY", "")
	live := l.live(f.ID)
	if names := FieldManagers(live, f.Path...); len(names) != 1 || FieldNonce(live, f.Path...) != f.Owner.Nonce {
		t.Errorf("managers %v", names)
	}
	if _, ok := OwnerOf(live); ok || len(live.GetLabels()) > 0 {
		t.Error("more than the field was written")
	}
	l.mustSet(f, "ALLOW_ANY", "REGISTRY_ONLY")
	after := l.mustRelease(f, "ALLOW_ANY", "", "")
	for _, object := range []*unstructured.Unstructured{before, after} {
		object.SetResourceVersion("")
		object.SetGeneration(0)
	}
	if was, is := manifest.Canonical(before), manifest.Canonical(after); was != is {
		t.Errorf("was %s\nis  %s", was, is)
	}
}

func TestFieldThatAnotherOwns(t *testing.T) {
	l := newLab(t)
	f := l.helmSidecar("default", `{"mode":"ALLOW_ANY"}`)
	version := l.live(f.ID).GetResourceVersion()
	_, err := l.client.SetField(l.ctx(), f, "REGISTRY_ONLY", nil)
	var taken *FieldTakenError
	if !errors.As(err, &taken) || len(taken.Managers) != 1 || taken.Managers[0] != "helm" || !strings.Contains(taken.Error(), "helm") {
		t.Fatal(err)
	}
	if l.live(f.ID).GetResourceVersion() != version {
		t.Error("something was written")
	}

	// The same value is shared, and stays with the other.
	l.mustSet(f, "ALLOW_ANY", "ALLOW_ANY")
	if names := FieldManagers(l.live(f.ID), f.Path...); len(names) != 2 {
		t.Errorf("managers %v", names)
	}
	second := l.modeField("default")
	if _, err := l.client.SetField(l.ctx(), second, "ALLOW_ANY", nil); !errors.As(err, &taken) {
		t.Errorf("two states share the field: %v", err)
	}
	if live := l.mustRelease(f, "ALLOW_ANY", "ALLOW_ANY", ""); f.value(live) != "ALLOW_ANY" {
		t.Error("the other's value is gone")
	}

	// What the plan showed is taken, and put back.
	shown := "ALLOW_ANY"
	if _, err := l.client.SetField(l.ctx(), f, "REGISTRY_ONLY", &shown); err != nil {
		t.Fatal(err)
	}
	if live := l.mustRelease(f, "REGISTRY_ONLY", "ALLOW_ANY", ""); f.value(live) != "ALLOW_ANY" {
		t.Errorf("it is %q", f.value(live))
	}

	forcing := l.newClient(Options{ForceConflicts: true})
	if was, err := forcing.SetField(l.ctx(), f, "REGISTRY_ONLY", nil); err != nil || was != "ALLOW_ANY" {
		t.Errorf("%q, %v", was, err)
	}
}

// What somebody has changed since is not touched.
func TestReleaseOfChangedField(t *testing.T) {
	l := newLab(t)
	f := l.helmSidecar("default", "")
	l.mustSet(f, "REGISTRY_ONLY", "")
	l.merge(f.ID, `{"spec":{"outboundTrafficPolicy":{"mode":"ALLOW_ANY"}}}`)
	version := l.live(f.ID).GetResourceVersion()
	if live := l.mustRelease(f, "REGISTRY_ONLY", "", `"ALLOW_ANY" by now`); live.GetResourceVersion() != version {
		t.Error("something was written")
	}
	other := l.helmSidecar("other", "")
	l.mustSet(other, "ALLOW_ANY", "")
	l.merge(other.ID, `{"spec":{"outboundTrafficPolicy":{"egressProxy":{"host":"proxy.example","port":{"number":80}}}}}`)
	l.mustReleaseStays(other, "ALLOW_ANY", "other fields beside it")

	shared := l.helmSidecar("shared", `{"mode":"ALLOW_ANY"}`)
	l.mustSet(shared, "ALLOW_ANY", "ALLOW_ANY")
	if live := l.mustRelease(shared, "ALLOW_ANY", "", "helm"); shared.value(live) != "ALLOW_ANY" {
		t.Error("the other's value is gone")
	}

	gone := l.modeField("none")
	if stays, err := l.client.ReleaseField(l.ctx(), gone, "ALLOW_ANY", ""); err != nil || stays != "" {
		t.Errorf("%q, %v", stays, err)
	}
	var missing *MissingError
	if _, err := l.client.SetField(l.ctx(), gone, "ALLOW_ANY", nil); !errors.As(err, &missing) {
		t.Error(err)
	}
}

func (l *lab) mustReleaseStays(f Field, value, reason string) {
	l.Helper()
	stays, err := l.client.ReleaseField(l.ctx(), f, value, "")
	if err != nil || !strings.Contains(stays, reason) || f.value(l.live(f.ID)) != value {
		l.Fatalf("stays %q, %v", stays, err)
	}
}
