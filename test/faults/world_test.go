package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/provider"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// world is one worker's part of the cluster: namespaces, a mesh config, and a
// proxy in front of the API server. Cells run in it one after the other.
type world struct {
	f *acctest.Fixture
	// egress has gateways, shop and yard workloads; yard also has a Sidecar of
	// somebody else.
	egress, shop, yard string
	// revision has a mesh config of its own.
	revision string
	proxy    *proxy.Proxy
	admin    dynamic.Interface
	theirs   []object
	snapshot map[object]string
	cells    int
	standing *standing
}

// object is where an object is.
type object struct {
	kind            schema.GroupVersionResource
	namespace, name string
}

func (o object) String() string { return o.kind.Resource + " " + o.namespace + "/" + o.name }

func newWorld(t *testing.T, f *acctest.Fixture, n int) *world {
	t.Helper()
	w := &world{
		f:      f,
		egress: f.GatewayNamespace(fmt.Sprintf("egress-%d", n)), shop: f.SourceNamespace(fmt.Sprintf("shop-%d", n)),
		yard: f.SourceNamespace(fmt.Sprintf("yard-%d", n)), revision: fmt.Sprintf("w%d-%s", n, f.Suffix),
		admin: f.Dynamic,
	}
	var err error
	if w.proxy, err = proxy.Start(f.AdminConfig()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.proxy.Stop)
	w.bindMesh()
	w.plant()
	return w
}

// bindMesh makes a control plane's mesh config that no istiod reads, and lets
// the provider edit it as examples/rbac/mesh-scope.yaml does.
func (w *world) bindMesh() {
	w.f.Apply("istio-system", fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-%[1]s}
data:
  mesh: |
    # edited by hand, with care
    accessLogFile: /dev/stdout
    outboundTrafficPolicy:
      mode: ALLOW_ANY
    trustDomain: cluster.local
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: faults-%[1]s}
rules:
  - {apiGroups: [""], resources: [configmaps], resourceNames: [istio-%[1]s], verbs: [get, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: faults-%[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: faults-%[1]s}
subjects: [{kind: ServiceAccount, name: terraform-provider-istio, namespace: terraform}]
`, w.revision))
}

// plant makes objects of other people beside ours.
func (w *world) plant() {
	for namespace, text := range map[string]string{
		w.egress: `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: theirs}
spec:
  selector: {app: theirs}
  servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["theirs.example.com"]}]
---
apiVersion: v1
kind: Service
metadata: {name: theirs}
spec: {selector: {app: theirs}, ports: [{name: http, port: 80}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: theirs}
spec: {selector: {matchLabels: {app: theirs}}}
`,
		w.shop: `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: theirs}
spec:
  hosts: [theirs.example.com]
  exportTo: ["."]
  resolution: DNS
  ports: [{number: 443, name: tls, protocol: TLS}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: theirs}
spec:
  hosts: [theirs.example.com]
  exportTo: ["."]
  tls: [{match: [{port: 443, sniHosts: [theirs.example.com]}], route: [{destination: {host: theirs.example.com}}]}]
`,
		w.yard: `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default}
spec:
  egress: [{hosts: ["./*", "istio-system/*"]}]
`} {
		for _, made := range w.f.Apply(namespace, text) {
			if made.GetKind() == "Sidecar" {
				continue // a subject edits it
			}
			plural := map[string]schema.GroupVersionResource{
				"Gateway": gateways, "Service": services, "AuthorizationPolicy": authorizations,
				"ServiceEntry": serviceEntries, "VirtualService": virtualServices,
			}[made.GetKind()]
			w.theirs = append(w.theirs, object{plural, namespace, made.GetName()})
		}
	}
	w.settled()
	w.snapshot = w.look(w.theirs)
}

// settled waits until istiod has written the status of their ServiceEntry: the
// addresses that it allocates for hosts without any.
func (w *world) settled() {
	for _, o := range w.theirs {
		if o.kind != serviceEntries {
			continue
		}
		err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
			addresses, _, err := unstructured.NestedSlice(w.get(o).Object, "status", "addresses")
			return len(addresses) > 0, err
		})
		if err != nil {
			panic(fmt.Sprintf("istiod has allocated no address to %s: %v", o, err))
		}
	}
}

func gvr(group, version, resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
}

var (
	services         = gvr("", "v1", "services")
	serviceAccounts  = gvr("", "v1", "serviceaccounts")
	configMaps       = gvr("", "v1", "configmaps")
	namespaces       = gvr("", "v1", "namespaces")
	deployments      = gvr("apps", "v1", "deployments")
	roles            = gvr("rbac.authorization.k8s.io", "v1", "roles")
	roleBindings     = gvr("rbac.authorization.k8s.io", "v1", "rolebindings")
	autoscalers      = gvr("autoscaling", "v2", "horizontalpodautoscalers")
	budgets          = gvr("policy", "v1", "poddisruptionbudgets")
	networkPolicies  = gvr("networking.k8s.io", "v1", "networkpolicies")
	authorizations   = gvr("security.istio.io", "v1", "authorizationpolicies")
	telemetries      = gvr("telemetry.istio.io", "v1", "telemetries")
	gateways         = gvr("networking.istio.io", "v1", "gateways")
	serviceEntries   = gvr("networking.istio.io", "v1", "serviceentries")
	virtualServices  = gvr("networking.istio.io", "v1", "virtualservices")
	destinationRules = gvr("networking.istio.io", "v1", "destinationrules")
	sidecars         = gvr("networking.istio.io", "v1", "sidecars")
)

func (w *world) client(o object) dynamic.ResourceInterface {
	if o.namespace == "" {
		return w.admin.Resource(o.kind)
	}
	return w.admin.Resource(o.kind).Namespace(o.namespace)
}

// get returns a live object, nil if there is none.
func (w *world) get(o object) *unstructured.Unstructured {
	live, err := w.client(o).Get(context.Background(), o.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		panic(err)
	}
	return live
}

// look returns objects byte for byte.
func (w *world) look(objects []object) map[object]string {
	seen := map[object]string{}
	for _, o := range objects {
		if live := w.get(o); live != nil {
			text, _ := json.Marshal(live.Object)
			seen[o] = string(text)
		}
	}
	return seen
}

// live returns what the provider has made in the world's namespaces.
func (w *world) live(kinds []schema.GroupVersionResource) map[object]*unstructured.Unstructured {
	found := map[object]*unstructured.Unstructured{}
	for _, kind := range kinds {
		for _, namespace := range w.namespacesOf(kind) {
			list, err := w.admin.Resource(kind).Namespace(namespace).List(context.Background(), metav1.ListOptions{
				LabelSelector: compile.LabelManagedBy + "=" + compile.ProviderName, ResourceVersion: "",
			})
			if err != nil {
				panic(err)
			}
			for i := range list.Items {
				found[object{kind, namespace, list.Items[i].GetName()}] = &list.Items[i]
			}
		}
	}
	return found
}

// namespacesOf returns where the configurations of the subjects put a kind.
func (w *world) namespacesOf(kind schema.GroupVersionResource) []string {
	switch kind {
	case sidecars:
		return []string{w.shop, w.yard}
	case serviceEntries, virtualServices, destinationRules:
		return []string{w.egress, w.shop, w.yard}
	}
	return []string{w.egress}
}

// purge takes away what a failed cell has left, so that the next one is judged
// by itself.
func (w *world) purge(kinds []schema.GroupVersionResource) {
	for o, live := range w.live(kinds) {
		if len(live.GetFinalizers()) > 0 {
			w.edit(o, func(live *unstructured.Unstructured) { live.SetFinalizers(nil) })
		}
		_ = w.client(o).Delete(context.Background(), o.name, metav1.DeleteOptions{})
	}
}

// edit changes an object as somebody else.
func (w *world) edit(o object, change func(*unstructured.Unstructured)) {
	for {
		live := w.get(o)
		if live == nil {
			return
		}
		change(live)
		_, err := w.client(o).Update(context.Background(), live, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
		if apierrors.IsConflict(err) {
			continue
		}
		if err != nil && !apierrors.IsNotFound(err) {
			panic(fmt.Sprintf("edit of %s: %v", o, err))
		}
		return
	}
}

// workspace returns an empty workspace that goes through the world's proxy.
func (w *world) workspace(typ string) *core.Workspace {
	at := w.f.Credentials()
	return &core.Workspace{
		Start:    core.Start(protocol.New(provider.New("faults-" + w.revision)())),
		Provider: core.Object{"host": w.proxy.Host, "token": at.Token, "cluster_ca_certificate": string(w.proxy.CAData)},
		Type:     typ,
	}
}

// names returns what is there, sorted.
func names(live map[object]*unstructured.Unstructured) string {
	var all []string
	for o := range live {
		all = append(all, o.String())
	}
	sort.Strings(all)
	return strings.Join(all, ", ")
}

// remove deletes an object as somebody else.
func (w *world) remove(o object) {
	err := w.client(o).Delete(context.Background(), o.name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		panic(fmt.Sprintf("delete of %s: %v", o, err))
	}
}
