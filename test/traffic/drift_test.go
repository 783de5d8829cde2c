package traffic_test

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// drift lets somebody edit objects of the policy while calls flow. Each edit takes one
// layer away, and those that stand in one round leave another one that holds: so no
// forbidden call gets anywhere meanwhile, and allowed ones go on. Then each round is
// repaired.
func (c *cast) drift(flow func()) {
	rounds := []func(c *cast) []string{
		func(c *cast) []string {
			edited := c.editAll("VirtualService", c.shop, func(spec map[string]any) {
				for _, match := range matches(spec) {
					delete(match, "sourceLabels")
				}
			})
			edited = append(edited, c.editAll("AuthorizationPolicy", c.egress, func(spec map[string]any) {
				spec["rules"] = []any{map[string]any{"from": []any{map[string]any{"source": map[string]any{"principals": []any{"*"}}}}}}
			}, "-from-")...)
			edited = append(edited, c.editAll("DestinationRule", c.shop, func(spec map[string]any) {
				for _, port := range list(spec, "trafficPolicy", "portLevelSettings") {
					delete(port["tls"].(map[string]any), "subjectAltNames")
				}
			})...)
			// Everybody in the namespace is routed now, and refused in the handshake.
			c.Expect(c.unselected, lab.HTTP("httpbin.org"), handshake)
			c.Settle(c.insider, lab.HTTP("httpbin.org"), handshake)
			return edited
		},
		func(c *cast) []string {
			identity := fmt.Sprintf("spiffe://cluster.local/ns/%s/sa/%s", c.insider.Namespace, c.insider.ServiceAccount)
			edited := c.editAll("Gateway", c.egress, func(spec map[string]any) {
				for _, server := range list(spec, "servers") {
					tls := server["tls"].(map[string]any)
					tls["subjectAltNames"] = append(tls["subjectAltNames"].([]any), identity)
				}
			})
			// The handshake lets the insider in now, and the namespace is refused.
			c.Expect(c.insider, lab.HTTP("httpbin.org"), rbac)
			return edited
		},
	}
	for _, edit := range rounds {
		edited := edit(c)
		flow()
		c.workspace.Expect(acctest.HasChanges, acctest.Plan, append(edited, "(kubectl-edit)")...)
		c.workspace.Expect(0, acctest.Apply)
		c.workspace.Expect(acctest.NoChanges, acctest.Plan)
		c.Settle(c.unselected, lab.HTTP("httpbin.org"), nobodyHome)
		c.Settle(c.insider, lab.HTTP("httpbin.org"), handshake)
		flow()
	}
}

// editAll changes the provider's objects of a kind in a namespace whose names have the
// texts, as `kubectl edit` does, and returns them as Kind/namespace/name; a Gateway as a
// plan names it.
func (c *cast) editAll(kind, namespace string, change func(spec map[string]any), texts ...string) []string {
	c.t.Helper()
	var edited []string
	for _, object := range c.Managed() {
		if object.GetKind() != kind || object.GetNamespace() != namespace || !containsAll(object.GetName(), texts) {
			continue
		}
		c.Edit(kind, namespace, object.GetName(), func(live *unstructured.Unstructured) {
			change(live.Object["spec"].(map[string]any))
		})
		if kind == "Gateway" {
			edited = append(edited, strings.Join([]string{kind, namespace, gatewayName}, "/")+":")
			continue
		}
		edited = append(edited, acctest.ID(object))
	}
	if len(edited) == 0 {
		c.t.Fatalf("there is no %s in %s", kind, namespace)
	}
	return edited
}

// matches returns the matches of a VirtualService.
func matches(spec map[string]any) []map[string]any {
	var all []map[string]any
	for _, section := range []string{"http", "tls", "tcp"} {
		for _, route := range list(spec, section) {
			all = append(all, list(route, "match")...)
		}
	}
	return all
}

// list returns the elements of a list of objects, none where it is missing.
func list(object map[string]any, path ...string) []map[string]any {
	var all []map[string]any
	at := any(object)
	for _, name := range path {
		next, _ := at.(map[string]any)
		at = next[name]
	}
	items, _ := at.([]any)
	for _, item := range items {
		all = append(all, item.(map[string]any))
	}
	return all
}
