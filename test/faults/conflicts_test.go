package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// conflicts are fields that somebody else takes.
func conflicts() []*fault {
	take := func(c *cell) {
		for o, live := range c.live(c.subject.kinds) {
			body := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": o.name, "namespace": o.namespace}}}
			body.SetGroupVersionKind(live.GroupVersionKind())
			switch {
			case o.kind == services:
				// The intent, which every update changes, is noted on the Service.
				body.SetAnnotations(map[string]string{compile.AnnotationSpec: "{}"})
			case o.kind == sidecars:
				_ = unstructured.SetNestedField(body.Object, "REGISTRY_ONLY", "spec", "outboundTrafficPolicy", "mode")
				_ = unstructured.SetNestedSlice(body.Object, []any{map[string]any{"hosts": []any{"istio-system/*"}}}, "spec", "egress")
			default:
				continue
			}
			c.apply(o, body)
		}
	}
	says := func(*cell) []string { return []string{"kubectl", "force_conflicts"} }
	return []*fault{
		{row: rowConflict, name: "field taken after the plan", on: map[operation]outcome{update: fails}, of: owning, arrange: take, late: true, says: says},
		{row: rowConflict, name: "field taken before the plan", on: map[operation]outcome{update: succeeds, destroy: succeeds, read: succeeds}, of: owning, arrange: take,
			check: func(c *cell) {
				if c.op == read && len(c.ws.Strings("drift")) == 0 {
					c.problem("the plan does not show it")
				}
			}},
		{row: rowConflict, name: "field taken after the plan, force_conflicts", on: map[operation]outcome{update: succeeds}, of: owning,
			arrange: take, late: true, provider: core.Object{"force_conflicts": true}},
	}
}

// apply is a server-side apply by somebody else who forces it.
func (w *world) apply(o object, body *unstructured.Unstructured) {
	if _, err := w.client(o).Apply(context.Background(), o.name, body, metav1.ApplyOptions{FieldManager: "kubectl", Force: true}); err != nil {
		panic(fmt.Sprintf("apply of %s: %v", o, err))
	}
}

// foreign puts somebody else's object in the place of one: the same in spec, with
// nothing of ours in its metadata.
func (c *cell) foreign(o object, like *unstructured.Unstructured) {
	theirs := &unstructured.Unstructured{Object: map[string]any{}}
	for key, value := range like.Object {
		if key != "metadata" && key != "status" {
			theirs.Object[key] = value
		}
	}
	theirs.SetGroupVersionKind(like.GroupVersionKind())
	theirs.SetName(o.name)
	theirs.SetNamespace(o.namespace)
	for _, field := range []string{"clusterIP", "clusterIPs"} {
		unstructured.RemoveNestedField(theirs.Object, "spec", field)
	}
	if c.get(o) != nil {
		c.remove(o)
	}
	made, err := c.client(o).Create(context.Background(), theirs, metav1.CreateOptions{FieldManager: "kubectl"})
	if err != nil {
		panic(fmt.Sprintf("create of %s: %v", o, err))
	}
	c.remember["foreign"] = string(made.GetUID())
	c.foreignAt = o
	c.foreignSpec = fmt.Sprint(made.Object["spec"], made.GetLabels(), made.GetAnnotations()[compile.AnnotationSpec])
}

// checkForeign: what somebody else put there is as he put it.
func (c *cell) checkForeign() {
	if c.remember["foreign"] == "" {
		return
	}
	live := c.get(c.foreignAt)
	if live == nil || string(live.GetUID()) != c.remember["foreign"] {
		c.problem("%s of somebody else is gone", c.foreignAt)
		return
	}
	if now := fmt.Sprint(live.Object["spec"], live.GetLabels(), live.GetAnnotations()[compile.AnnotationSpec]); now != c.foreignSpec {
		c.problem("%s of somebody else was %s and is %s", c.foreignAt, c.foreignSpec, now)
	}
	for _, m := range live.GetManagedFields() {
		if strings.HasPrefix(m.Manager, compile.ProviderName) {
			c.problem("%s of somebody else has fields of %s", c.foreignAt, m.Manager)
		}
	}
}

func (c *cell) removeForeign() {
	if c.remember["foreign"] != "" {
		c.remove(c.foreignAt)
	}
}

// taken are names that somebody else takes between look and write.
func taken() []*fault {
	return []*fault{
		{
			row: rowTaken, name: "same name before write k", of: owning, when: proxy.Writes,
			// An assigned port that is taken is no error: the next one is tried.
			on: map[operation]outcome{create: told, update: told, destroy: succeeds},
			rules: func(c *cell, at int) []proxy.Rule {
				return []proxy.Rule{{When: proxy.Writes, Skip: at, Times: 1, Fault: proxy.Before("taken", c.during(func(r proxy.Request) {
					o := object{gvr(r.Group, r.Version(), r.Resource), r.Namespace, r.Name}
					like := c.get(o)
					switch {
					case like == nil && r.Verb == "delete":
						return
					case like == nil:
						like = &unstructured.Unstructured{}
						if err := json.Unmarshal(r.Body, &like.Object); err != nil {
							panic(err)
						}
					}
					c.remember["taken"] = r.Verb + " " + r.Resource
					c.foreign(o, like)
				}))}}
			},
			check: func(c *cell) {
				c.checkForeign()
				// What is not wanted any more and is another's by now is no error either.
				if taken := c.remember["taken"]; !strings.HasPrefix(taken, "delete ") && !strings.HasSuffix(taken, " gateways") && len(c.diags.Errors()) == 0 {
					c.problem("somebody else has %s, and the %s says nothing", c.foreignAt, c.op)
				}
			},
			undo: (*cell).removeForeign,
		},
		{
			row: rowTaken, name: "explicit port between plan and apply", of: []*subject{policy}, on: map[operation]outcome{create: fails}, late: true,
			baseConfig: func(c *cell, _ bool) core.Object {
				config := policy.before(c.world, c.id)
				rule, _ := config["egress_rules"].([]any)[0].(core.Object)
				rule["to"] = []any{entry("db", "TCP", 5432, core.Object{"by_egress_gateway": core.Object{"port": 15432}}, "db."+c.id+".example.com")}
				return config
			},
			arrange: func(c *cell) {
				like := c.get(object{gateways, c.egress, "theirs"})
				c.foreign(object{gateways, c.egress, "egw-15432"}, like)
			},
			check: func(c *cell) {
				c.checkForeign()
				for _, r := range c.journal {
					if r.IsWrite() && r.Code < 300 {
						c.problem("written all the same: %s", r)
					}
				}
			},
			undo: (*cell).removeForeign,
		},
	}
}
