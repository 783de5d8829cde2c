package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

func TestNoDriftAfterCreate(t *testing.T) {
	l := newLab(t)
	var objects []manifest.Object
	for i, text := range everyKind {
		objects = append(objects, l.object(i/7, text))
	}
	release := l.create(l.owner(), objects...)
	mark := l.mark()
	reader := l.newClient(Options{})
	for range 3 { // three instances of one walk
		seen, err := reader.Observe(l.ctx(), release)
		if err != nil || len(seen.Drift) != 0 {
			t.Fatalf("%v %v", seen.Drift, err)
		}
	}
	for request, n := range l.requests(mark, reader) {
		if n != 1 || !strings.HasPrefix(request, "list ") {
			t.Errorf("%d x %s", n, request)
		}
	}
	l.clean(release)

	// An update that changes nothing leaves every object as it is.
	before := map[string]string{}
	for _, object := range objects {
		if object.Body.GetKind() != "Deployment" && object.Body.GetKind() != "HorizontalPodAutoscaler" && object.Body.GetKind() != "PodDisruptionBudget" { // their controllers write status
			before[object.Key] = l.live(object.ID()).GetResourceVersion()
		}
	}
	seen, err := reader.Observe(l.ctx(), release)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Update(l.ctx(), release, release, l.shown(seen), manifest.DetailDigest.Render); err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		if was, ok := before[object.Key]; ok && l.live(object.ID()).GetResourceVersion() != was {
			t.Errorf("%s was written for nothing", object.Key)
		}
	}
}

// edit is a foreign edit: one path, and how to write it.
type edit struct {
	path  string
	apply func(tree map[string]any)
}

// edits returns one edit for every scalar of a tree, changed and removed.
func edits(at []string, tree any, get func(map[string]any) any) []edit {
	var found []edit
	switch node := tree.(type) {
	case map[string]any:
		for key, child := range node {
			below := append(append([]string{}, at...), key)
			parent := func(root map[string]any) map[string]any { m, _ := get(root).(map[string]any); return m }
			found = append(found, edits(below, child, func(root map[string]any) any { return parent(root)[key] })...)
			if changed, ok := another(child); ok {
				found = append(found, edit{strings.Join(below, "."), func(root map[string]any) { parent(root)[key] = changed }})
			}
		}
	case []any:
		for i, child := range node {
			below := append(append([]string{}, at...), fmt.Sprint(i))
			list := func(root map[string]any) []any { s, _ := get(root).([]any); return s }
			found = append(found, edits(below, child, func(root map[string]any) any { return list(root)[i] })...)
			if changed, ok := another(child); ok {
				found = append(found, edit{strings.Join(below, "."), func(root map[string]any) { list(root)[i] = changed }})
			}
		}
	}
	return found
}

// another returns a different value of the same type.
func another(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return v + "x", true
	case int64:
		return v + 1, true
	case bool:
		return !v, true
	}
	return nil, false
}

// TestEveryForeignEditIsDriftAndRepaired changes, one after the other, every
// value that we wrote, as somebody else. What the server refuses, because it
// is immutable or invalid, needs no drift.
func TestEveryForeignEditIsDriftAndRepaired(t *testing.T) {
	for _, text := range everyKind {
		l := newLab(t)
		object := l.object(0, text)
		l.Run(object.Body.GetKind(), func(t *testing.T) {
			release := l.create(l.owner(), object)
			seenAny := 0
			root := func(tree map[string]any) any { return tree }
			for _, e := range edits(nil, object.Body.Object, root) {
				if strings.HasPrefix(e.path, "metadata.name") || e.path == "kind" || e.path == "apiVersion" {
					continue
				}
				if !l.put(object.ID(), e) {
					continue
				}
				seenAny++
				client := l.newClient(Options{})
				seen, err := client.Observe(l.ctx(), release)
				if err != nil {
					t.Fatal(err)
				}
				line := seen.Drift[object.Key]
				if line == "" {
					t.Errorf("%s: not seen", e.path)
					continue
				}
				if !strings.Contains(line, "(someone)") && !strings.Contains(line, absent) {
					t.Errorf("%s: nobody is named: %s", e.path, line)
				}
				if manifest.Canonical(seen.Projected[object.Key]) == manifest.Canonical(object.Body) {
					t.Errorf("%s: drift, but the same digest: %s", e.path, line)
				}
				if _, err := client.Update(l.ctx(), release, release, l.shown(seen), manifest.DetailDigest.Render); err != nil {
					t.Fatalf("%s: repair: %v", e.path, err)
				}
				if left := l.drift(release); left != "" {
					t.Fatalf("%s: not repaired: %s", e.path, left)
				}
			}
			t.Logf("%d edits", seenAny)
		})
	}
}

// put edits an object as "someone" and reports whether the server took it.
func (l *lab) put(id manifest.ID, e edit) bool {
	l.Helper()
	live := l.live(id)
	e.apply(live.Object)
	text, err := json.Marshal(live.Object)
	if err != nil {
		l.Fatal(err)
	}
	before := live.GetResourceVersion()
	code, answer := l.raw("PUT", l.path(id)+"?fieldManager=someone", string(text))
	if code == 409 {
		return l.put(id, e)
	}
	after, _, _ := unstructured.NestedString(answer, "metadata", "resourceVersion")
	return code == 200 && after != before
}

// drift returns what a fresh process sees.
func (l *lab) drift(release Release) string {
	l.Helper()
	seen, err := l.newClient(Options{}).Observe(l.ctx(), release)
	if err != nil {
		l.Fatal(err)
	}
	var lines []string
	for _, text := range seen.Drift {
		lines = append(lines, text)
	}
	return strings.Join(lines, "\n")
}

// TestForeignAdditionsAreDriftAndRemoved adds what server-side apply would
// leave in place.
func TestForeignAdditionsAreDriftAndRemoved(t *testing.T) {
	for name, c := range map[string]struct{ object, patch, want string }{
		"another host": {istioGateway, `{"spec":{"servers":[{"port":{"number":10000,"name":"e0","protocol":"HTTPS"},"hosts":["./httpbin.org","./evil.example"],"tls":{"mode":"ISTIO_MUTUAL","subjectAltNames":["spiffe://cluster.local/ns/a/sa/a"]}}]}}`,
			`spec.servers[0].hosts[1]: "./evil.example" (kubectl-edit) -> (absent)`},
		"visible to all":       {serviceEntry, `{"spec":{"exportTo":["*"]}}`, `spec.exportTo: ["*"] (kubectl-edit) -> (absent)`},
		"rules":                {authorizationPolicy, `{"spec":{"rules":[{}]}}`, `spec.rules: [{}] (kubectl-edit) -> (absent)`},
		"an endpoint":          {serviceEntry, `{"spec":{"endpoints":[{"address":"evil.example"}]}}`, `spec.endpoints: [{"address":"evil.example"}] (kubectl-edit) -> (absent)`},
		"a container":          {gatewayDeployment, `{"spec":{"template":{"spec":{"containers":[{"name":"istio-proxy","image":"registry.example/proxy:1"},{"name":"evil","image":"evil"}]}}}}`, `containers[name="evil"]`},
		"the host's processes": {gatewayDeployment, `{"spec":{"template":{"spec":{"hostPID":true}}}}`, `spec.template.spec.hostPID: true (kubectl-edit) -> (absent)`},
		"a volume":             {gatewayDeployment, `{"spec":{"template":{"spec":{"volumes":[{"name":"host","hostPath":{"path":"/"}}]}}}}`, `volumes[name="host"]`},
		"a command":            {gatewayDeployment, `{"spec":{"template":{"spec":{"containers":[{"name":"istio-proxy","command":["evil"]}]}}}}`, `command`},
		"a selector":           {gatewayService, `{"spec":{"selector":{"role":"other"}}}`, `spec.selector`},
		"a port":               {gatewayService, `{"spec":{"ports":[{"name":"more","port":8888}]}}`, `8888`},
		"egress":               {gatewayNetworkPolicy, `{"spec":{"egress":[{}]}}`, `spec.egress`},
	} {
		for _, wiped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, managedFields wiped: %v", name, wiped), func(t *testing.T) {
				l := newLab(t)
				release := l.create(l.owner(), l.object(0, c.object))
				object := release.Objects[0]
				contentType := "application/merge-patch+json"
				if !kinds[object.Body.GroupVersionKind()].istio {
					contentType = "application/strategic-merge-patch+json"
				}
				if code, answer := l.raw("PATCH", l.path(object.ID())+"?fieldManager=kubectl-edit", c.patch, contentType); code != 200 {
					t.Fatalf("%d %v", code, answer)
				}
				want := c.want
				if wiped {
					l.merge(object.ID(), `{"metadata":{"managedFields":[{}]}}`)
					want = strings.Replace(want, " (kubectl-edit)", "", 1) // nobody is on record
				}
				client := l.newClient(Options{})
				seen, err := client.Observe(l.ctx(), release)
				if err != nil || !strings.Contains(seen.Drift[object.Key], want) {
					t.Fatalf("want %q in %q, %v", want, seen.Drift[object.Key], err)
				}
				if _, err := client.Update(l.ctx(), release, release, l.shown(seen), manifest.DetailDigest.Render); err != nil {
					t.Fatal(err)
				}
				l.clean(release)
				for _, entry := range l.live(object.ID()).GetManagedFields() {
					if entry.Manager == ownerless || entry.Manager == release.Owner.manager() && entry.Operation == "Update" {
						t.Errorf("%s %s is left on record", entry.Manager, entry.Operation)
					}
				}
			})
		}
	}
}

func TestWhatOthersRunIsNoDrift(t *testing.T) {
	for name, c := range map[string]struct{ object, path, patch string }{
		"a restart":       {gatewayDeployment, "?fieldManager=kubectl-rollout", `{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}`},
		"a foreign label": {serviceEntry, "?fieldManager=someone", `{"metadata":{"labels":{"team":"x"},"annotations":{"note":"y"}}}`},
		"defaults": {gatewayDeployment, "?fieldManager=kubectl&force=true", `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"gw"},"spec":{"template":{"spec":{"restartPolicy":"Always","dnsPolicy":"ClusterFirst",` +
			`"containers":[{"name":"istio-proxy","imagePullPolicy":"IfNotPresent","terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}]}}}}`},
		"a status": {serviceEntry, "/status?fieldManager=istiod", `{"status":{"addresses":[{"value":"240.0.0.1"}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			release := l.create(l.owner(), l.object(0, c.object))
			contentType := "application/merge-patch+json"
			if strings.Contains(c.path, "force=true") {
				contentType = "application/apply-patch+yaml"
			}
			if code, answer := l.raw("PATCH", l.path(release.Objects[0].ID())+c.path, c.patch, contentType); code != 200 {
				t.Fatalf("%d %v", code, answer)
			}
			l.clean(release)
		})
	}
}

func TestUpdateForcesOnlyWhatThePlanShowed(t *testing.T) {
	for name, force := range map[string]bool{"refused": false, "force_conflicts": true} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			release := l.create(l.owner(), l.object(0, serviceEntry))
			object := release.Objects[0]
			client := l.newClient(Options{ForceConflicts: force})
			seen, err := client.Observe(l.ctx(), release)
			if err != nil {
				t.Fatal(err)
			}
			l.merge(object.ID(), `{"spec":{"hosts":["after-the-plan.example"]}}`)
			_, err = client.Update(l.ctx(), release, release, l.shown(seen), manifest.DetailDigest.Render)
			if force {
				if err != nil {
					t.Fatal(err)
				}
				l.clean(release)
				return
			}
			var conflict *ConflictError
			if !errors.As(err, &conflict) {
				t.Fatalf("%v", err)
			}
			if _, detail := Explain(err); !strings.Contains(detail, "kubectl-edit") || !strings.Contains(detail, "spec.hosts") {
				t.Errorf("%s", detail)
			}
			if hosts, _, _ := unstructured.NestedStringSlice(l.live(object.ID()).Object, "spec", "hosts"); hosts[0] != "after-the-plan.example" {
				t.Errorf("taken: %v", hosts)
			}
		})
	}
}

func TestDeletedObjectIsNamedAndCreatedAgain(t *testing.T) {
	l := newLab(t)
	release := l.create(l.owner(), l.policyObjects()...)
	gone := release.Objects[1]
	l.raw("DELETE", l.path(gone.ID()), "")
	client := l.newClient(Options{})
	seen, err := client.Observe(l.ctx(), release)
	if err != nil || len(seen.Drift) != 1 || !strings.Contains(seen.Drift[gone.Key], "gone") || seen.Projected[gone.Key] != nil {
		t.Fatalf("%v %v", seen.Drift, err)
	}
	if _, err := client.Update(l.ctx(), release, release, l.shown(seen), manifest.DetailDigest.Render); err != nil {
		t.Fatal(err)
	}
	l.clean(release)
	// The same process does not go on to believe what it saw before its write.
	if seen, err := client.Observe(l.ctx(), release); err != nil || len(seen.Drift) != 0 {
		t.Fatalf("%v %v", seen.Drift, err)
	}
}

// TestAutoscalerTakesOverTheReplicas: leaving spec.replicas out must not scale
// the gateway down to the default of one.
func TestAutoscalerTakesOverTheReplicas(t *testing.T) {
	l := newLab(t)
	fixed := l.rollout("registry.example/proxy:1", "")
	fixed.Body = with(fixed.Body, int64(3), "spec", "replicas")
	prior := l.create(l.owner(), fixed)
	scaled := fixed
	scaled.Body = fixed.Body.DeepCopy()
	unstructured.RemoveNestedField(scaled.Body.Object, "spec", "replicas")
	next := Release{Owner: prior.Owner, Objects: []manifest.Object{scaled}}
	for _, shown := range []map[string]string{nil, {fixed.Key: manifest.DetailDigest.Render(scaled.Body)}} {
		if _, err := l.client.Update(l.ctx(), prior, next, shown, manifest.DetailDigest.Render); err != nil {
			t.Fatal(err)
		}
		if replicas, _, _ := unstructured.NestedInt64(l.live(fixed.ID()).Object, "spec", "replicas"); replicas != 3 {
			t.Fatalf("%d replicas", replicas)
		}
	}
	l.clean(next)
	// And back: the number is ours again.
	seen, err := l.newClient(Options{}).Observe(l.ctx(), prior)
	if err != nil {
		t.Fatal(err)
	}
	back := fixed
	back.Body = with(fixed.Body, int64(2), "spec", "replicas")
	prior.Objects = []manifest.Object{back}
	if _, err := l.client.Update(l.ctx(), next, prior, l.shown(seen), manifest.DetailDigest.Render); err != nil {
		t.Fatal(err)
	}
	l.clean(prior)
}

// TestForceStopsAtWhatCameAfterTheLook lets somebody edit between the look and
// the write of an update.
func TestForceStopsAtWhatCameAfterTheLook(t *testing.T) {
	l := newLab(t)
	release := l.create(l.owner(), l.object(0, istioGateway))
	object := release.Objects[0]
	seen, err := l.client.Observe(l.ctx(), release)
	if err != nil {
		t.Fatal(err)
	}
	client := l.newClient(Options{}, fault(http.MethodPatch, 1, func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		l.merge(object.ID(), `{"spec":{"selector":{"istio":"after-the-look"}}}`)
		return next.RoundTrip(r)
	}))
	_, err = client.Update(l.ctx(), release, release, l.shown(seen), manifest.DetailDigest.Render)
	if !errors.As(err, new(*ConflictError)) {
		t.Fatal(err)
	}
}

// TestUpdateStopsAtAnObjectThatTookTheName: replaced between look and write.
func TestUpdateStopsAtAnObjectThatTookTheName(t *testing.T) {
	for _, force := range []bool{false, true} {
		t.Run(fmt.Sprintf("force_conflicts %v", force), func(t *testing.T) {
			l := newLab(t)
			release := l.create(l.owner(), l.object(0, istioGateway))
			object := release.Objects[0]
			theirs := object.Body.DeepCopy()
			theirs.SetLabels(nil)
			client := l.newClient(Options{ForceConflicts: force}, fault(http.MethodPatch, 1, func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				l.raw("DELETE", l.path(object.ID()), "")
				l.ssa("by-hand", false, theirs)
				return next.RoundTrip(r)
			}))
			_, err := client.Update(l.ctx(), release, release, nil, nil)
			if !errors.As(err, new(*ForeignError)) {
				t.Fatal(err)
			}
			live := l.live(object.ID())
			if m := live.GetManagedFields(); len(m) != 1 || len(live.GetAnnotations()) != 0 {
				t.Errorf("touched: %v", live.Object)
			}
		})
	}
}
