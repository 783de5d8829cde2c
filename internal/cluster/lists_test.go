package cluster

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/permit"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// as returns a client with a token of a ServiceAccount that may do what the
// rules of its Role (in its namespace) and ClusterRole say.
func (l *lab) as(role, clusterRole string) *Client {
	l.Helper()
	name := l.namespace
	in := "/api/v1/namespaces/" + l.namespace
	rbac := "/apis/rbac.authorization.k8s.io/v1/"
	subject := fmt.Sprintf(`"subjects":[{"kind":"ServiceAccount","name":"u","namespace":%q}]`, name)
	post := func(path, body string) map[string]any {
		code, answer := l.raw("POST", path, body)
		if code != 201 {
			l.Fatalf("%s: %d %v", path, code, answer)
		}
		return answer
	}
	post(in+"/serviceaccounts", `{"metadata":{"name":"u"}}`)
	if role != "" {
		post(rbac+"namespaces/"+name+"/roles", `{"metadata":{"name":"u"},"rules":[`+role+`]}`)
		post(rbac+"namespaces/"+name+"/rolebindings", `{"metadata":{"name":"u"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"u"},`+subject+`}`)
	}
	if clusterRole != "" {
		post(rbac+"clusterroles", `{"metadata":{"name":"`+name+`"},"rules":[`+clusterRole+`]}`)
		post(rbac+"clusterrolebindings", `{"metadata":{"name":"`+name+`"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"`+name+`"},`+subject+`}`)
	}
	admin, err := kubernetes.NewForConfig(l.cp.RESTConfig)
	if err == nil && role != "" {
		err = permit.Role(l.ctx(), admin, name, "u")
	}
	if err == nil && clusterRole != "" {
		err = permit.ClusterRole(l.ctx(), admin, name)
	}
	if err != nil {
		l.Fatal(err)
	}
	answer := post(in+"/serviceaccounts/u/token", `{"spec":{}}`)
	token, _ := answer["status"].(map[string]any)["token"].(string)
	config := rest.AnonymousClientConfig(l.cp.RESTConfig)
	config.BearerToken = token
	version := fmt.Sprintf("test-%d-", clients.Add(1))
	client, err := New(config, Options{Version: version})
	if err != nil {
		l.Fatal(err)
	}
	l.agents[client] = "terraform-provider-istio/" + version
	return client
}

// TestReadsFallBackWithRBAC: cluster-wide, then the namespace, then one by one.
func TestReadsFallBackWithRBAC(t *testing.T) {
	rule := func(verbs string) string {
		return `{"apiGroups":["networking.istio.io"],"resources":["gateways","destinationrules"],"verbs":[` + verbs + `]}`
	}
	for name, c := range map[string]struct {
		role, clusterRole string
		want              map[string]int
	}{
		"cluster-wide": {"", rule(`"get","list"`), map[string]int{
			"list networking.istio.io/gateways": 1, "list networking.istio.io/destinationrules": 1}},
		"the namespace": {rule(`"get","list"`), "", map[string]int{
			"list networking.istio.io/gateways": 2, "list networking.istio.io/destinationrules": 2}},
		"one by one": {rule(`"get"`), "", map[string]int{
			"list networking.istio.io/gateways": 2, "list networking.istio.io/destinationrules": 2,
			"get networking.istio.io/gateways": 2, "get networking.istio.io/destinationrules": 2}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			release := l.create(l.owner(), l.object(1, istioGateway), l.object(1, destinationRule))
			client := l.as(c.role, c.clusterRole)
			mark := l.mark()
			for range 2 {
				seen, err := client.Observe(l.ctx(), release)
				if err != nil || len(seen.Drift) != 0 || len(seen.Live) != 2 {
					t.Fatalf("%v %v", seen.Drift, err)
				}
			}
			if diff := cmp.Diff(c.want, l.requests(mark, client)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		l := newLab(t)
		release := l.create(l.owner(), l.object(1, istioGateway))
		_, err := l.as("", "").Observe(l.ctx(), release)
		if _, detail := Explain(err); !strings.Contains(detail, "lack the verb get on gateways.networking.istio.io") || !strings.Contains(detail, l.namespace) {
			t.Errorf("%v: %s", err, detail)
		}
	})
}

func TestListPages(t *testing.T) {
	l := newLab(t)
	for i := range 7 {
		o := l.object(0, destinationRule)
		o.Body.SetName(fmt.Sprintf("d%d", i))
		l.ssa("x", false, o.Body)
	}
	gvk := l.object(0, destinationRule).Body.GroupVersionKind()
	count := 0
	if err := l.client.each(l.ctx(), listKey{gvk: gvk, namespace: l.namespace}, 3, func(*entry) bool { count++; return true }); err != nil || count != 7 {
		t.Fatal(count, err)
	}
}

func TestListIsSharedUntilTheFirstWrite(t *testing.T) {
	l := newLab(t)
	o := l.object(0, destinationRule)
	gvk := o.Body.GroupVersionKind()
	mark := l.mark()
	var all []chan error
	for range 10 {
		done := make(chan error, 1)
		all = append(all, done)
		go func() {
			_, err := l.client.List(l.ctx(), gvk, l.namespace, "")
			done <- err
		}()
	}
	for _, done := range all {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := l.requests(mark, l.client)["list networking.istio.io/destinationrules"]; n != 1 {
		t.Errorf("%d LISTs", n)
	}
	l.create(l.owner(), o)
	if !l.client.Wrote() {
		t.Error("a write is not known")
	}
	found, err := l.client.List(l.ctx(), gvk, l.namespace, managedSelector)
	if err != nil || len(found) != 1 || found[0].GetName() != o.Body.GetName() || found[0].GroupVersionKind() != gvk {
		t.Errorf("%v %v", found, err)
	}
	if found, err := l.client.List(l.ctx(), gvk, l.namespace, "team=x"); err != nil || len(found) != 0 {
		t.Errorf("%v %v", found, err)
	}
}

// TestUpdateOrder: the new comes first, the old goes last.
func TestUpdateOrder(t *testing.T) {
	l := newLab(t)
	old := l.object(1, istioGateway)
	route := l.object(3, virtualService)
	prior := l.create(l.owner(), old, route)
	next := l.object(1, istioGateway)
	next.Body.SetName("gw-10001")
	moved := l.object(3, strings.Replace(virtualService, "60s", "90s", 1))
	release := Release{Owner: prior.Owner, Objects: []manifest.Object{next, moved}}
	mark := l.mark()
	here, err := l.client.Update(l.ctx(), prior, release, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys(release.Objects), keys(here)); diff != "" {
		t.Error(diff)
	}
	all, err := l.cp.Requests(mark)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, r := range all.ByAgent(l.agents[l.client]).Writes() {
		order = append(order, r.Verb+" "+r.Name)
	}
	if diff := cmp.Diff([]string{"patch gw-10001", "patch mesh", "delete gw-10000"}, order); diff != "" {
		t.Error(diff)
	}
	l.clean(release)
}
