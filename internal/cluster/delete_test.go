package cluster

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

func TestDeleteIsOneRequestPerObject(t *testing.T) {
	l := newLab(t)
	var releases []Release
	for _, name := range []string{"a", "b", "c"} {
		gateway, rule := l.object(1, istioGateway), l.object(2, destinationRule)
		gateway.Body.SetName("gw-" + name)
		rule.Body.SetName(name)
		releases = append(releases, l.create(l.owner(), gateway, rule))
	}
	client := l.newClient(Options{})
	mark := l.mark()
	for _, release := range releases {
		if left, err := client.Delete(l.ctx(), release); err != nil || len(left) != 0 {
			t.Fatal(keys(left), err)
		}
	}
	want := map[string]int{
		"list networking.istio.io/gateways": 1, "list networking.istio.io/destinationrules": 1,
		"delete networking.istio.io/gateways": 3, "delete networking.istio.io/destinationrules": 3,
	}
	if diff := cmp.Diff(want, l.requests(mark, client)); diff != "" {
		t.Error(diff)
	}
	for _, release := range releases {
		for _, object := range release.Objects {
			if l.live(object.ID()) != nil {
				t.Errorf("%s is left", object.Key)
			}
		}
	}
	// What is gone already is done.
	if left, err := client.Delete(l.ctx(), releases[0]); err != nil || len(left) != 0 {
		t.Error(keys(left), err)
	}
}

func TestDeleteSeesWhatHappenedSinceItsList(t *testing.T) {
	l := newLab(t)
	owner := l.owner()
	objects := []manifest.Object{l.object(1, istioGateway), l.object(1, destinationRule), l.object(1, virtualService)}
	release := l.create(owner, objects...)
	client := l.newClient(Options{})
	for _, object := range objects {
		if _, err := client.hint(l.ctx(), object.ID(), managedSelector); err != nil {
			t.Fatal(err)
		}
	}
	// Edited: still ours. Replaced by somebody else: not ours. Given to another owner: not ours.
	l.merge(objects[0].ID(), `{"spec":{"selector":{"istio":"other"}}}`)
	l.raw("DELETE", l.path(objects[1].ID()), "")
	byHand := objects[1].Body.DeepCopy()
	byHand.SetLabels(nil)
	l.ssa("by-hand", false, byHand)
	other := l.owner()
	l.raw("PATCH", l.path(objects[2].ID())+"?fieldManager=x",
		`[{"op":"replace","path":"/metadata/annotations/egress.meshegress.io~1owner","value":`+quote(other.annotation())+`}]`, "application/json-patch+json")

	if left, err := client.Delete(l.ctx(), release); err != nil || len(left) != 0 {
		t.Fatal(keys(left), err)
	}
	for i, stays := range []bool{false, true, true} {
		if (l.live(objects[i].ID()) != nil) != stays {
			t.Errorf("%s: stays should be %v", objects[i].Key, stays)
		}
	}
}

func quote(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }

func TestDeleteNamesWhatDoesNotGo(t *testing.T) {
	l := newLab(t)
	release := l.create(l.owner(), l.object(1, istioGateway), l.object(2, destinationRule))
	held := release.Objects[0]
	l.merge(held.ID(), `{"metadata":{"finalizers":["example.com/hold"]}}`)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	left, err := l.client.Delete(ctx, release)
	if diff := cmp.Diff([]string{held.Key}, keys(left)); diff != "" {
		t.Error(diff)
	}
	if !errors.As(err, new(*RemainsError)) {
		t.Fatal(err)
	}
	if _, detail := Explain(err); !strings.Contains(detail, "example.com/hold") || !strings.Contains(detail, held.ID().String()) || !strings.Contains(detail, "deletionTimestamp") {
		t.Error(detail)
	}

	// It is drift, and a create waits for it.
	seen, err := l.newClient(Options{}).Observe(l.ctx(), Release{Owner: release.Owner, Objects: release.Objects[:1]})
	if err != nil || !strings.Contains(seen.Drift[held.Key], "being deleted") {
		t.Errorf("%v %v", seen.Drift, err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := l.client.Create(l.ctx(), release)
		done <- err
	}()
	l.merge(held.ID(), `{"metadata":{"finalizers":null}}`)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	l.clean(release)
}

func TestNamespaceThatGoes(t *testing.T) {
	l := newLab(t)
	release := l.create(l.owner(), l.object(1, istioGateway), l.object(2, serviceEntry))
	// The namespace goes, one object is held in it.
	l.merge(release.Objects[0].ID(), `{"metadata":{"finalizers":["example.com/hold"]}}`)
	l.raw("DELETE", "/api/v1/namespaces/"+l.namespace, "")
	_, err := l.newClient(Options{}).Create(l.ctx(), Release{Owner: l.owner(), Objects: []manifest.Object{l.object(1, virtualService)}})
	if _, detail := Explain(err); !strings.Contains(detail, "is being deleted") {
		t.Errorf("%v: %s", err, detail)
	}
	l.merge(release.Objects[0].ID(), `{"metadata":{"finalizers":null}}`)
	if left, err := l.newClient(Options{}).Delete(l.ctx(), release); err != nil || len(left) != 0 {
		t.Error(keys(left), err)
	}
	// A namespace that is not there: its objects are gone, and a create says so.
	for _, object := range release.Objects {
		object.Body.SetNamespace("nowhere")
	}
	seen, err := l.newClient(Options{}).Observe(l.ctx(), release)
	if err != nil || len(seen.Drift) != 2 || len(seen.Live) != 0 {
		t.Errorf("%v %v", seen.Drift, err)
	}
	written, err := l.client.Create(l.ctx(), release)
	if _, detail := Explain(err); len(written) != 0 || !strings.Contains(detail, `Namespace "nowhere" does not exist`) {
		t.Errorf("%v %v: %s", keys(written), err, detail)
	}
}

// roundTrip is a transport between client and server.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// withoutCRDs asks the server for a version that it does not serve, so that
// its own answer to a missing CRD comes back.
func withoutCRDs(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Path = strings.Replace(r.URL.Path, "istio.io/v1/", "istio.io/v9/", 1)
		return next.RoundTrip(r)
	})
}

func TestMissingCRDs(t *testing.T) {
	l := newLab(t)
	client := l.newClient(Options{}, withoutCRDs)
	release := Release{Owner: l.owner(), Objects: []manifest.Object{l.object(1, serviceEntry)}}
	for name, run := range map[string]func() error{
		"observe":   func() error { _, err := client.Observe(l.ctx(), release); return err },
		"preflight": func() error { _, err := client.Preflight(l.ctx(), release); return err },
		"create":    func() error { _, err := client.Create(l.ctx(), release); return err },
		"read":      func() error { _, err := client.Get(l.ctx(), release.Objects[0].ID()); return err },
	} {
		err := run()
		_, detail := Explain(err)
		if err == nil || !strings.Contains(detail, "serviceentries.networking.istio.io") || !strings.Contains(detail, "istioctl install") {
			t.Errorf("%s: %v: %s", name, err, detail)
		}
	}
	if left, err := client.Delete(l.ctx(), release); err != nil || len(left) != 0 {
		t.Error(keys(left), err)
	}
}
