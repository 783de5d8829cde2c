package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

const sharedPolicy = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: gw-from-shop, namespace: $ns, annotations: {egress.meshegress.io/version: "2"}}
spec:
  selector: {matchLabels: {istio: gw}}
  rules: [{from: [{source: {principals: [cluster.local/ns/shop/*]}}]}]
`

// shared returns the shared object, and a policy's Service that uses it.
func (l *lab) shared(policy string) []manifest.Object {
	object := l.object(5, sharedPolicy)
	object.Shared = &manifest.Shared{
		Version:   2,
		Users:     serviceKind,
		Namespace: l.namespace,
		Selector:  managedSelector,
		InUse: func(user *unstructured.Unstructured) bool {
			return user.GetAnnotations()[compile.AnnotationExportTo] == "shop"
		},
		Compatible: func(live *unstructured.Unstructured) error {
			text := manifest.Canonical(live)
			if strings.Contains(text, "other.domain") {
				return errors.New("trust domain other.domain is not cluster.local")
			}
			return nil
		},
	}
	service := l.object(4, fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %s-egw, namespace: $ns, annotations: {networking.istio.io/exportTo: shop}}
spec: {selector: {istio: gw}, ports: [{name: http, port: 80, targetPort: 10000}]}
`, policy))
	return []manifest.Object{service, object}
}

func TestSharedObjectLivesAsLongAsItsUsers(t *testing.T) {
	l := newLab(t)
	mark := l.mark()
	a := l.create(l.owner(), l.shared("a")...)
	b := l.create(l.owner(), l.shared("b")...)
	if n := l.requests(mark, l.client)["patch security.istio.io/authorizationpolicies"]; n != 1 {
		t.Errorf("written %d times", n)
	}
	id := a.Objects[1].ID()
	live := l.live(id)
	if m := live.GetManagedFields(); len(m) != 1 || m[0].Manager != sharedManager {
		t.Errorf("%v", m)
	}
	if _, owned := OwnerOf(live); owned {
		t.Error("a shared object names an owner")
	}
	l.clean(a)
	l.clean(b)
	if left, err := l.client.Delete(l.ctx(), a); err != nil || len(left) != 0 {
		t.Fatal(keys(left), err)
	}
	if l.live(id) == nil {
		t.Fatal("gone with its first user")
	}
	l.clean(b)
	if left, err := l.client.Delete(l.ctx(), b); err != nil || len(left) != 0 {
		t.Fatal(keys(left), err)
	}
	if l.live(id) != nil {
		t.Fatal("left behind by its last user")
	}
}

// TestSharedObjectSurvivesAUserThatComes lets another policy come at the one
// moment that matters: after the search for users, before the DELETE.
func TestSharedObjectSurvivesAUserThatComes(t *testing.T) {
	l := newLab(t)
	a := l.create(l.owner(), l.shared("a")...)
	b := Release{Owner: l.owner(), Objects: l.shared("b")}
	var once sync.Once
	creator := l.newClient(Options{})
	destroyer := l.newClient(Options{}, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "authorizationpolicies") {
				once.Do(func() {
					if _, err := creator.Create(context.Background(), b); err != nil {
						t.Error(err)
					}
				})
			}
			return next.RoundTrip(r)
		})
	})
	if left, err := destroyer.Delete(l.ctx(), a); err != nil || len(left) != 0 {
		t.Fatal(keys(left), err)
	}
	l.clean(b)
}

func TestSharedObjectsRaces(t *testing.T) {
	l := newLab(t)
	var all sync.WaitGroup
	keep := Release{Owner: l.owner(), Objects: l.shared("keep")}
	for n := range 6 {
		client := l.newClient(Options{})
		all.Go(func() {
			release := Release{Owner: l.owner(), Objects: l.shared(fmt.Sprintf("p%d", n))}
			if n == 3 {
				release = keep
			}
			if _, err := client.Create(l.ctx(), release); err != nil {
				t.Error(err)
			}
			if n != 3 {
				if _, err := client.Delete(l.ctx(), release); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	l.clean(keep)
}

// TestSharedObjectIsCreatedOnce lets all instances of a process find the object
// missing at the same moment.
func TestSharedObjectIsCreatedOnce(t *testing.T) {
	l := newLab(t)
	const users = 8
	var looks atomic.Int32
	everybody := make(chan struct{})
	client := l.newClient(Options{}, func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(r)
			if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "authorizationpolicies/") {
				if looks.Add(1) == users {
					close(everybody)
				}
				select {
				case <-everybody:
				case <-r.Context().Done():
				}
			}
			return response, err
		})
	})
	mark := l.mark()
	var all sync.WaitGroup
	releases := make([]Release, users)
	for n := range releases {
		releases[n] = Release{Owner: l.owner(), Objects: l.shared(fmt.Sprintf("p%d", n))}
		all.Go(func() {
			if _, err := client.Create(l.ctx(), releases[n]); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := l.requests(mark, client)["patch security.istio.io/authorizationpolicies"]; n != 1 {
		t.Errorf("written %d times", n)
	}
	for _, release := range releases {
		l.clean(release)
	}
}

func TestSharedObjectIsNeverDowngraded(t *testing.T) {
	l := newLab(t)
	newer := l.shared("a")
	newer[1].Shared.Version = 3
	newer[1].Body.SetAnnotations(map[string]string{compile.AnnotationVersion: "3"})
	if err := unstructured.SetNestedStringMap(newer[1].Body.Object, map[string]string{"istio": "gw", "v": "3"}, "spec", "selector", "matchLabels"); err != nil {
		t.Fatal(err)
	}
	l.create(l.owner(), newer...)
	older := l.create(l.owner(), l.shared("b")...)
	live := l.live(older.Objects[1].ID())
	if live.GetAnnotations()[compile.AnnotationVersion] != "3" || live.GetGeneration() != 1 {
		t.Fatalf("%v", live.Object)
	}
	l.clean(older) // a later version is no drift
	// The other way it is brought up to date.
	l2 := newLab(t)
	l2.create(l2.owner(), l2.shared("b")...)
	up := l2.shared("a")
	up[1].Shared.Version = 3
	up[1].Body.SetAnnotations(map[string]string{compile.AnnotationVersion: "3"})
	l2.clean(l2.create(l2.owner(), up...))
}

func TestSharedObjectOfAnotherTrustDomain(t *testing.T) {
	l := newLab(t)
	theirs := l.shared("a")[1].Body
	if err := unstructured.SetNestedSlice(theirs.Object, []any{map[string]any{"from": []any{map[string]any{"source": map[string]any{
		"principals": []any{"other.domain/ns/shop/*"}}}}}}, "spec", "rules"); err != nil {
		t.Fatal(err)
	}
	l.ssa(sharedManager, false, theirs)
	release := Release{Owner: l.owner(), Objects: l.shared("b")}
	_, err := l.client.Preflight(l.ctx(), release)
	if _, detail := Explain(err); !errors.As(err, new(*IncompatibleError)) || !strings.Contains(detail, "other.domain") {
		t.Errorf("%v", err)
	}
	if _, err := l.client.Create(l.ctx(), release); !errors.As(err, new(*IncompatibleError)) {
		t.Errorf("%v", err)
	}
}

func TestSharedObjectIsPrunedWithItsLastUse(t *testing.T) {
	l := newLab(t)
	prior := l.create(l.owner(), l.shared("a")...)
	service := prior.Objects[0]
	service.Body = service.Body.DeepCopy()
	service.Body.SetAnnotations(map[string]string{compile.AnnotationExportTo: "another"})
	next := Release{Owner: prior.Owner, Objects: []manifest.Object{service}}
	here, err := l.client.Update(l.ctx(), prior, next, nil, nil)
	if err != nil || len(here) != 1 {
		t.Fatal(keys(here), err)
	}
	if l.live(prior.Objects[1].ID()) != nil {
		t.Fatal("left behind")
	}
}
