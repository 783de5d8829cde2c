package cluster

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// policyObjects returns four objects in three stages.
func (l *lab) policyObjects() []manifest.Object {
	l.Helper()
	return []manifest.Object{
		l.object(1, istioGateway), l.object(2, serviceEntry), l.object(2, destinationRule), l.object(3, virtualService),
	}
}

func (l *lab) create(owner Owner, objects ...manifest.Object) Release {
	l.Helper()
	release := Release{Owner: owner, Objects: objects}
	if _, err := l.client.Create(l.ctx(), release); err != nil {
		l.Fatal(err)
	}
	return release
}

func keys(objects []manifest.Object) []string {
	var names []string
	for _, object := range objects {
		names = append(names, object.Key)
	}
	return names
}

func TestCreateWritesEachObjectOnce(t *testing.T) {
	l := newLab(t)
	release := Release{Owner: l.owner(), Objects: l.policyObjects()}
	mark := l.mark()
	owner, err := l.client.Preflight(l.ctx(), release)
	if err != nil || owner != release.Owner {
		t.Fatalf("%v %v", owner, err)
	}
	written, err := l.client.Create(l.ctx(), release)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys(release.Objects), keys(written)); diff != "" {
		t.Fatal(diff)
	}
	want := map[string]int{
		"list networking.istio.io/gateways": 1, "list networking.istio.io/serviceentries": 1,
		"list networking.istio.io/destinationrules": 1, "list networking.istio.io/virtualservices": 1,
		"patch networking.istio.io/gateways": 1, "patch networking.istio.io/serviceentries": 1,
		"patch networking.istio.io/destinationrules": 1, "patch networking.istio.io/virtualservices": 1,
	}
	if diff := cmp.Diff(want, l.requests(mark, l.client)); diff != "" {
		t.Fatal(diff)
	}
	for _, object := range release.Objects {
		live := l.live(object.ID())
		if named, ok := OwnerOf(live); !ok || named != release.Owner {
			t.Errorf("%s names %v", object.Key, named)
		}
		if m := live.GetManagedFields(); m[0].Manager != release.Owner.manager() || len(m) > 1 && m[1].Subresource != "status" {
			t.Errorf("%s: managers %v", object.Key, m)
		}
	}
}

func TestForeignObjectsAreRefusedAndUntouched(t *testing.T) {
	for name, handMade := range map[string]bool{"of another state": false, "made by hand": true} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			objects := l.policyObjects()
			theirs := objects[3]
			if handMade {
				if code, _ := l.ssa("kubectl-client-side-apply", false, theirs.Body); code != 201 {
					t.Fatal(code)
				}
			} else {
				l.create(l.owner(), theirs)
			}
			before := manifest.Canonical(l.live(theirs.ID()))

			release := Release{Owner: l.owner(), Objects: objects}
			second := l.newClient(Options{})
			mark := l.mark()
			_, err := second.Preflight(l.ctx(), release)
			assertForeign(t, err, handMade, l.namespace)
			for request := range l.requests(mark, second) {
				if !strings.HasPrefix(request, "list") && !strings.HasPrefix(request, "get") {
					t.Errorf("preflight did %s", request)
				}
			}
			// Without the look the writes themselves refuse.
			written, err := second.Create(l.ctx(), release)
			assertForeign(t, err, handMade, l.namespace)
			if diff := cmp.Diff(keys(objects[:3]), keys(written)); diff != "" {
				t.Error(diff)
			}
			if left, err := second.Delete(l.ctx(), release); err != nil || len(left) != 0 {
				t.Errorf("%v %v", keys(left), err)
			}
			if _, err := second.Update(l.ctx(), release, release, nil, nil); !errors.As(err, new(*ForeignError)) {
				t.Errorf("update: %v", err)
			}
			if after := manifest.Canonical(l.live(theirs.ID())); after != before {
				t.Errorf("the foreign object was written:\n%s\n%s", before, after)
			}
		})
	}
}

func assertForeign(t *testing.T, err error, handMade bool, namespace string) {
	t.Helper()
	var foreign *ForeignError
	if !errors.As(err, &foreign) {
		t.Fatalf("not a ForeignError: %v", err)
	}
	_, detail := Explain(err)
	want := "terraform import istio_egress_gateway.gw " + namespace + "/gw"
	if handMade {
		want = "kubectl-client-side-apply"
	}
	if !strings.Contains(detail, want) {
		t.Errorf("the detail does not say %q:\n%s", want, detail)
	}
}

func TestKilledCreateIsResumedByOwnerID(t *testing.T) {
	for name, ownerID := range map[string]string{"with owner_id": "ci", "without": ""} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			first := l.owner()
			first.OwnerID = ownerID
			objects := l.policyObjects()
			l.create(first, objects[:2]...) // and then the process was killed

			again := first
			again.Nonce = NewNonce()
			second := l.newClient(Options{})
			owner, err := second.Preflight(l.ctx(), Release{Owner: again, Objects: objects})
			if ownerID == "" {
				if !errors.As(err, new(*ForeignError)) {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil || owner != first {
				t.Fatalf("%v %v", owner, err)
			}
			written, err := second.Create(l.ctx(), Release{Owner: owner, Objects: objects})
			if err != nil || len(written) != len(objects) {
				t.Fatalf("%v %v", keys(written), err)
			}
			l.clean(Release{Owner: owner, Objects: objects})
		})
	}
}

// clean asserts that a fresh process sees no drift.
func (l *lab) clean(release Release) {
	l.Helper()
	seen, err := l.newClient(Options{}).Observe(l.ctx(), release)
	if err != nil {
		l.Fatal(err)
	}
	if len(seen.Drift) != 0 {
		l.Fatalf("drift: %v", seen.Drift)
	}
	for _, object := range release.Objects {
		want, have := manifest.Canonical(object.Body), "nothing"
		if p := seen.Projected[object.Key]; p != nil {
			have = manifest.Canonical(p)
		}
		if want != have {
			l.Errorf("%s: projected is not the desired body:\n%s\n%s", object.Key, have, want)
		}
	}
}

func TestReserveHasOneWinner(t *testing.T) {
	l := newLab(t)
	const racers = 12
	var won atomic.Int64
	var winner Owner
	var mu sync.Mutex
	var all sync.WaitGroup
	object := l.object(1, istioGateway)
	for range racers {
		owner, client := l.owner(), l.newClient(Options{})
		all.Go(func() {
			mine, err := client.Reserve(context.Background(), owner, object)
			if err != nil {
				t.Error(err)
			}
			if mine {
				won.Add(1)
				mu.Lock()
				winner = owner
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d winners", won.Load())
	}
	live := l.live(object.ID())
	if named, _ := OwnerOf(live); named != winner || len(live.GetManagedFields()) != 1 {
		t.Fatalf("%v owns, %v won; managers %v", named, winner, live.GetManagedFields())
	}
}

func TestReservedObjectIsNotWrittenAgain(t *testing.T) {
	l := newLab(t)
	owner, objects := l.owner(), l.policyObjects()
	mark := l.mark()
	if mine, err := l.client.Reserve(l.ctx(), owner, objects[0]); !mine || err != nil {
		t.Fatal(mine, err)
	}
	l.create(owner, objects...)
	if n := l.requests(mark, l.client)["patch networking.istio.io/gateways"]; n != 1 {
		t.Fatalf("written %d times", n)
	}
	// Reserving one's own again is no loss.
	if mine, err := l.client.Reserve(l.ctx(), owner, objects[0]); !mine || err != nil {
		t.Fatal(mine, err)
	}
}

func TestWipedAnnotationIsDriftAndNotForeign(t *testing.T) {
	l := newLab(t)
	release := l.create(l.owner(), l.object(1, serviceEntry))
	object := release.Objects[0]
	for name, patch := range map[string]string{
		"annotation": `{"metadata":{"annotations":null}}`,
		"both":       `{"metadata":{"annotations":null,"managedFields":[{}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			l.merge(object.ID(), patch)
			client := l.newClient(Options{})
			seen, err := client.Observe(l.ctx(), release)
			if err != nil || !strings.Contains(seen.Drift[object.Key], AnnotationOwner) {
				t.Fatalf("%v %v", seen.Drift, err)
			}
			if _, err := client.Update(l.ctx(), release, release, l.shown(seen), manifest.DetailDigest.Render); err != nil {
				t.Fatal(err)
			}
			l.clean(release)
		})
	}
}

// shown is what state holds after a refresh.
func (l *lab) shown(seen Observation) map[string]string {
	shown := map[string]string{}
	for key, projected := range seen.Projected {
		shown[key] = manifest.DetailDigest.Render(projected)
	}
	return shown
}

func TestImportFindsTheOwner(t *testing.T) {
	l := newLab(t)
	release := l.create(l.owner(), l.policyObjects()...)
	asked := Owner{Resource: release.Owner.Resource, ImportID: release.Owner.ImportID}
	seen, err := l.newClient(Options{}).Observe(l.ctx(), Release{Owner: asked, Objects: release.Objects})
	if err != nil || seen.Owner != release.Owner || len(seen.Drift) != 0 {
		t.Fatalf("%v %v %v", seen.Owner, seen.Drift, err)
	}
}
