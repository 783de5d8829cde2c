package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/permit"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// grant is one verb on one resource in one rule of a published role.
type grant struct {
	role           string
	rule           int
	resource, verb string
}

func (g grant) String() string {
	return fmt.Sprintf("%s: %s %s (rule %d)", g.role, g.verb, g.resource, g.rule+1)
}

// spared says why nothing fails without a grant, "" if something has to. That
// it is wanted shows in the API server's refusal all the same.
func (g grant) spared() string {
	switch {
	case g.role == "read" && g.verb == "list":
		return "what may not be listed is asked for one by one, with a request for each object in place of one for all"
	case g.resource == "namespaces":
		return "names the namespaces that a mode does not bind"
	case g.resource == "pods":
		return "the reason why a rollout does not end"
	case g.verb == "watch":
		return "without a watch the Deployment is looked at again and again"
	}
	return ""
}

// TestRolesAreMinimal takes each verb on each resource out of each rule of
// examples/rbac in turn; without -full one of thirty. Something has to fail
// then, with an error that names what is missing; where the provider has
// another way, the API server has to have refused the first.
func TestRolesAreMinimal(t *testing.T) {
	f := acctest.New(t)
	published := publishedRoles(t)
	cases := grants(published)
	wanted := regexp.MustCompile(*rows)
	queue := make(chan grant, len(cases)+2)
	queue <- grant{} // with everything nothing fails
	queue <- grant{role: "gateway-user"}
	for i, c := range cases {
		if *full && wanted.MatchString(c.String()) || !*full && i%30 == 0 {
			queue <- c
		}
	}
	close(queue)
	var all sync.WaitGroup
	for i := range min(4*runtime.GOMAXPROCS(0), len(queue)) {
		w := newWorld(t, f, 300+i)
		all.Go(func() {
			n := 0
			for c := range queue {
				n++
				w.without(t, published, c, fmt.Sprintf("r%d-%d", i, n))
			}
		})
	}
	all.Wait()
	t.Logf("%d grants", len(cases))
}

// grants are all of the published roles, in order.
func grants(published map[string][]rbacv1.PolicyRule) []grant {
	var all []grant
	for _, role := range slices.Sorted(maps.Keys(published)) {
		for i, rule := range published[role] {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, grant{role, i, resource, verb})
				}
			}
		}
	}
	return all
}

// without runs everything that the provider does as an account that lacks one
// grant.
func (w *world) without(t *testing.T, published map[string][]rbacv1.PolicyRule, missing grant, name string) {
	token := w.account(t, published, missing, name)
	w.proxy.Arm()
	said := w.everything(token, name, missing)
	switch {
	case missing.verb == "":
		if len(said.Errors()) > 0 {
			t.Errorf("with all that is published: %s", said)
		}
	case missing.named(said.Errors()):
	case missing.spared() == "":
		t.Errorf("without %s no error names what is missing: %s", missing, said)
	case !w.refused(missing):
		t.Errorf("%s is not needed: nothing asked for it", missing)
	}
	for _, s := range []*subject{policy, gateway, ownSidecar} {
		w.purge(s.kinds)
	}
	theirSidecar.restore(w)
	meshConfig.restore(w)
}

// named reports whether an error names the verb and the resource.
func (g grant) named(errors core.Diagnostics) bool {
	return slices.ContainsFunc(errors, func(d core.Diagnostic) bool {
		text := d.Summary + d.Detail
		return strings.Contains(text, g.resource) && strings.Contains(text, g.verb)
	})
}

// refused reports whether the API server has refused a request for it.
func (w *world) refused(g grant) bool {
	return slices.ContainsFunc(w.proxy.Journal(), func(r proxy.Request) bool {
		return r.Resource == g.resource && r.Verb == g.verb && r.Code == http.StatusForbidden
	})
}

// account makes a ServiceAccount with the published roles less one grant, in
// this world's namespaces, and returns its token.
func (w *world) account(t *testing.T, published map[string][]rbacv1.PolicyRule, missing grant, name string) string {
	ctx := context.Background()
	name += "-" + w.revision
	rbac := w.f.Kube.RbacV1()
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: name, Namespace: "terraform"}}
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	accounts := w.f.Kube.CoreV1().ServiceAccounts("terraform")
	account, err := accounts.Create(ctx, serviceAccount(name), metav1.CreateOptions{})
	check(err)
	for role, rules := range published {
		var kept []rbacv1.PolicyRule
		for i, rule := range rules {
			rule = *rule.DeepCopy()
			if len(rule.ResourceNames) > 0 {
				rule.ResourceNames = []string{"istio", "istio-" + w.revision}
			}
			if role == missing.role && i == missing.rule && missing.verb != "" {
				rest := *rule.DeepCopy()
				rest.Resources, rest.Verbs = []string{missing.resource}, without(rule.Verbs, missing.verb)
				if len(rest.Verbs) > 0 {
					kept = append(kept, rest)
				}
				rule.Resources = without(rule.Resources, missing.resource)
			}
			if len(rule.Resources) > 0 {
				kept = append(kept, rule)
			}
		}
		at := map[string][]string{
			"gateway-namespace": {w.egress}, "gateway-user": {w.egress}, "source-namespace": {w.shop, w.yard},
			"mesh-config": {"istio-system"}, "mesh-scope": {"istio-system"},
		}[role]
		switch {
		case role == "mesh-scope" && missing.role == "mesh-config", role == "gateway-namespace" && missing.role == "gateway-user":
			continue // it has the same, and more
		case role == "mesh-config" && missing.role == "mesh-scope":
			continue // it is for the default revision: the other suffices for any
		case role == "gateway-user" && missing.role != "gateway-user":
			continue // for those who do not have the other
		}
		meta := metav1.ObjectMeta{Name: "faults-" + name + "-" + role}
		_, err := rbac.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: kept}, metav1.CreateOptions{})
		check(err)
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name}
		if role == "read" {
			_, err = rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
			check(err)
			check(permit.ClusterRole(ctx, w.f.Kube, meta.Name))
		}
		for _, namespace := range at {
			_, err = rbac.RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
			check(err)
			check(permit.Role(ctx, w.f.Kube, namespace, meta.Name))
		}
	}
	seconds := int64(3600)
	request, err := accounts.CreateToken(ctx, account.Name, &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	check(err)
	return request.Status.Token
}

// everything does all that the provider can, until an error names what is
// missing, and returns what was said. Each resource ends with its first error.
func (w *world) everything(token, name string, missing grant) core.Diagnostics {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	all := []*subject{policy, gateway, ownSidecar, theirSidecar, meshConfig}
	if missing.role == "gateway-user" {
		all = []*subject{policy}
	}
	var said core.Diagnostics
	for _, s := range all {
		ws := w.workspace(s.typ)
		ws.Provider["token"] = token
		before, after := s.before(w, name), s.after(w, name)
		switch s {
		case gateway:
			before["wait_for_rollout"] = true
			before["timeouts"] = core.Object{"create": "60s"}
			if missing.resource == "pods" {
				// Those of a rollout that does not end are looked at.
				before["node_selector"] = core.Object{"no": "such-node"}
				before["timeouts"] = core.Object{"create": "10s"}
			}
		case policy:
			if missing.role == "gateway-user" {
				break // looks at no Secret
			}
			rule, _ := before["egress_rules"].([]any)[0].(core.Object)
			first, _ := rule["to"].([]any)[0].(core.Object)
			first["tls"] = core.Object{"mode": "SIMPLE", "credential_name": "partner"}
		}
		for i, config := range []core.Object{before, before, after, after, nil} {
			if i == 1 || i == 3 {
				w.tamper(s.kinds)
			}
			diags := ws.Apply(ctx, config)
			said = append(said, diags...)
			if len(diags.Errors()) > 0 {
				if missing.verb != "" && missing.named(diags.Errors()) {
					return said
				}
				break
			}
		}
	}
	return said
}

// tamper changes all that the provider has made in a way that it takes an UPDATE
// to undo: what somebody else adds, an apply leaves; and so is what a field
// manager holds that came about when managedFields were wiped.
func (w *world) tamper(kinds []schema.GroupVersionResource) {
	for o := range w.live(kinds) {
		w.edit(o, func(live *unstructured.Unstructured) {
			switch o.kind {
			case authorizations:
				_ = unstructured.SetNestedField(live.Object, "by-hand", "spec", "selector", "matchLabels", "added")
				return
			case gateways:
				_ = unstructured.SetNestedField(live.Object, "by-hand", "spec", "selector", "added")
			case serviceEntries, virtualServices, destinationRules:
				_ = unstructured.SetNestedStringSlice(live.Object, []string{"*"}, "spec", "exportTo")
			case sidecars:
				_ = unstructured.SetNestedField(live.Object, "ALLOW_ANY", "spec", "outboundTrafficPolicy", "mode")
			case telemetries:
				_ = unstructured.SetNestedField(live.Object, "by-hand", "spec", "selector", "matchLabels", "added")
			}
			labels := live.GetLabels()
			labels[compile.LabelPartOf] = "by-hand"
			live.SetLabels(labels)
			live.SetManagedFields([]metav1.ManagedFieldsEntry{{}})
		})
	}
}

func without(all []string, one string) []string {
	var rest []string
	for _, name := range all {
		if name != one {
			rest = append(rest, name)
		}
	}
	return rest
}

// publishedRoles reads the rules of examples/rbac by the last part of the role's
// name.
func publishedRoles(t *testing.T) map[string][]rbacv1.PolicyRule {
	t.Helper()
	found := map[string][]rbacv1.PolicyRule{}
	for _, file := range []string{"cluster.yaml", "mesh-scope.yaml"} {
		text, err := os.ReadFile(filepath.Join(acctest.Root(), "examples", "rbac", file))
		if err != nil {
			t.Fatal(err)
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
		for {
			var role rbacv1.ClusterRole
			err := decoder.Decode(&role)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(role.Rules) > 0 {
				found[role.Name[strings.LastIndex(role.Name, ":")+1:]] = role.Rules
			}
		}
	}
	if len(found) < 5 {
		t.Fatalf("roles: %v", found)
	}
	return found
}

func serviceAccount(name string) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
}
