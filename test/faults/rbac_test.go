package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
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
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
)

// grant is one rule of a published role, for one of its resources.
type grant struct {
	role     string
	rule     int
	resource string
}

// spares are rules without which the provider asks in another way.
func (g grant) spares() bool {
	// Without a watch it looks at the Deployment again and again.
	return g.role == "gateway-namespace" && g.resource == "deployments" && g.rule > 1
}

func (g grant) String() string { return fmt.Sprintf("%s: %s (rule %d)", g.role, g.resource, g.rule+1) }

// unsaid are grants without which nothing fails, and what they are for.
var unsaid = map[string]string{
	"namespaces":  "names the namespaces that a mode does not bind, and tells a missing namespace from a missing object",
	"pods":        "the reason why a rollout does not end",
	"events":      "the reason why a rollout does not end",
	"replicasets": "the reason why a rollout does not end",
}

// TestRolesAreMinimal takes each resource out of each rule of examples/rbac in
// turn; without -full one of six. Something has to fail then, with an error that
// names what is missing.
func TestRolesAreMinimal(t *testing.T) {
	f := acctest.New(t)
	published := publishedRoles(t)
	var cases []grant
	for _, role := range slices.Sorted(maps.Keys(published)) {
		rules := published[role]
		if role == "gateway-user" {
			continue // a part of gateway-namespace
		}
		for i, rule := range rules {
			for _, resource := range rule.Resources {
				cases = append(cases, grant{role, i, resource})
			}
		}
	}
	queue := make(chan grant, len(cases)+1)
	queue <- grant{} // with everything nothing fails
	for i, c := range cases {
		if *full || i%6 == 0 {
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

// without runs everything that the provider does as an account that lacks one
// grant.
func (w *world) without(t *testing.T, published map[string][]rbacv1.PolicyRule, missing grant, name string) {
	token := w.account(t, published, missing, name)
	said := w.everything(token, name, missing.resource)
	switch plural := missing.resource; {
	case plural == "":
		if len(said.Errors()) > 0 {
			t.Errorf("with all that is published: %s", said)
		}
	case !strings.Contains(said.String(), plural) && unsaid[plural] == "" && !missing.spares():
		t.Errorf("without %s nothing names what is missing: %s", missing, said)
	}
	for _, s := range []*subject{policy, gateway, ownSidecar} {
		w.purge(s.kinds)
	}
	theirSidecar.restore(w)
	meshConfig.restore(w)
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
			if role == missing.role && i == missing.rule {
				rule.Resources = without(rule.Resources, missing.resource)
			}
			if len(rule.ResourceNames) > 0 {
				rule.ResourceNames = []string{"istio", "istio-" + w.revision}
			}
			if len(rule.Resources) > 0 {
				kept = append(kept, rule)
			}
		}
		at := map[string][]string{
			"gateway-namespace": {w.egress}, "source-namespace": {w.shop, w.yard},
			"mesh-config": {"istio-system"}, "mesh-scope": {"istio-system"},
		}[role]
		if role == "mesh-scope" && missing.role == "mesh-config" {
			continue // it has the same, and more
		}
		meta := metav1.ObjectMeta{Name: "faults-" + name + "-" + role}
		_, err := rbac.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: meta, Rules: kept}, metav1.CreateOptions{})
		check(err)
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name}
		if role == "read" {
			_, err = rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
			check(err)
		}
		for _, namespace := range at {
			_, err = rbac.RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}, metav1.CreateOptions{})
			check(err)
		}
	}
	seconds := int64(3600)
	request, err := accounts.CreateToken(ctx, account.Name, &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	check(err)
	return request.Status.Token
}

// everything does all that the provider can, until an error names what is
// missing, and returns what was said. Each resource ends with its first error.
func (w *world) everything(token, name, missing string) core.Diagnostics {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var said core.Diagnostics
	for _, s := range []*subject{gateway, policy, ownSidecar, theirSidecar, meshConfig} {
		ws := w.workspace(s.typ)
		ws.Provider["token"] = token
		before, after := s.before(w, name), s.after(w, name)
		switch s {
		case gateway:
			before["wait_for_rollout"] = true
			before["timeouts"] = core.Object{"create": "60s"}
		case policy:
			rule, _ := before["egress_rules"].([]any)[0].(core.Object)
			first, _ := rule["to"].([]any)[0].(core.Object)
			first["tls"] = core.Object{"mode": "SIMPLE", "credential_name": "partner"}
		}
		for _, config := range []core.Object{before, after, nil} {
			diags := ws.Apply(ctx, config)
			said = append(said, diags...)
			if len(diags.Errors()) > 0 {
				if missing != "" && strings.Contains(diags.Errors().String(), missing) {
					return said
				}
				break
			}
		}
	}
	return said
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
