package faults

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/permit"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// gone are namespaces, kinds and objects that are not there.
func gone() []*fault {
	noKind := func(c *cell, at int) []proxy.Rule {
		return []proxy.Rule{{When: proxy.Of(c.subject.kinds[at].Resource, proxy.All), Fault: proxy.Reply(404, "text/plain; charset=utf-8", "404 page not found\n")}}
	}
	kinds := func(s *subject) int { return len(s.kinds) }
	istio := []*subject{ownSidecar, workloadSidecar}
	return []*fault{
		{row: rowGone, name: "CRD gone", of: append([]*subject{policy}, istio...), each: kinds, rules: noKind,
			on: map[operation]outcome{create: fails, read: fails, update: fails}},
		{row: rowGone, name: "CRD gone, done", of: append([]*subject{policy}, istio...), each: kinds, rules: noKind, leaves: true,
			on: map[operation]outcome{destroy: succeeds}},
		{
			row: rowGone, name: "object gone", of: owning, each: perObject, on: map[operation]outcome{read: succeeds, update: succeeds, destroy: succeeds},
			arrange: func(c *cell) {
				if o, ok := c.picked(); ok {
					c.remove(o)
				}
			},
			check: func(c *cell) {
				if c.op == read && c.plan.Action != core.Update && c.plan.Action != core.Create {
					c.problem("the plan is %s", c.plan.Action)
				}
			},
		},
		namespaceFault("namespace gone", map[operation]outcome{create: fails, read: succeeds, update: fails, destroy: succeeds},
			func(c *cell) { c.endNamespace(false) }),
		namespaceFault("namespace terminating", map[operation]outcome{create: fails, read: succeeds, update: fails, destroy: succeeds},
			func(c *cell) { c.endNamespace(true) }),
	}
}

// namespaceFault is one in a namespace that the cell has for itself.
func namespaceFault(name string, on map[operation]outcome, arrange func(c *cell)) *fault {
	return &fault{
		row: rowGone, name: name, on: on, of: []*subject{gateway, ownSidecar}, slow: true, arrange: arrange, late: true,
		baseConfig: func(c *cell, after bool) core.Object {
			if c.remember["namespace"] == "" {
				c.remember["namespace"] = fmt.Sprintf("own-%s-%s", c.id, c.revision)
				c.makeNamespace()
			}
			config := c.subject.before(c.world, c.id)
			if after {
				config = c.subject.after(c.world, c.id)
			}
			config["namespace"] = c.remember["namespace"]
			return config
		},
		says: func(c *cell) []string { return []string{c.remember["namespace"]} },
		undo: func(c *cell) {
			c.edit(object{configMaps, c.remember["namespace"], "holds"}, func(live *unstructured.Unstructured) { live.SetFinalizers(nil) })
			c.awaitGone(object{namespaces, "", c.remember["namespace"]})
			c.makeNamespace()
		},
	}
}

func (c *cell) makeNamespace() {
	namespace := c.remember["namespace"]
	o := object{namespaces, "", namespace}
	body := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace}}}
	if _, err := c.client(o).Create(context.Background(), body, metav1.CreateOptions{}); err != nil {
		panic(err)
	}
	for _, role := range []string{"gateway-namespace", "source-namespace"} {
		binding := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": map[string]any{"name": role, "namespace": namespace},
			"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "terraform-provider-istio:" + role},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": "terraform-provider-istio", "namespace": "terraform"}},
		}}
		made, err := c.client(object{roleBindings, namespace, role}).Create(context.Background(), binding, metav1.CreateOptions{})
		if err != nil {
			panic(err)
		}
		if err := permit.Role(c.ctx, c.f.Kube, namespace, made.GetName()); err != nil {
			panic(err)
		}
	}
}

// endNamespace deletes the cell's namespace; held, it stays in terminating.
func (c *cell) endNamespace(held bool) {
	namespace := c.remember["namespace"]
	if held {
		body := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"name": "holds", "namespace": namespace, "finalizers": []any{"example.com/holds"}}}}
		if _, err := c.client(object{configMaps, namespace, "holds"}).Create(context.Background(), body, metav1.CreateOptions{}); err != nil {
			panic(err)
		}
	}
	var inside []object
	for _, kind := range c.subject.kinds {
		list, err := c.admin.Resource(kind).Namespace(namespace).List(context.Background(), metav1.ListOptions{LabelSelector: compile.LabelManagedBy})
		if err != nil {
			panic(err)
		}
		for _, live := range list.Items {
			inside = append(inside, object{kind, namespace, live.GetName()})
		}
	}
	c.remove(object{namespaces, "", namespace})
	if !held {
		c.awaitGone(object{namespaces, "", namespace})
		return
	}
	// What is there still can be changed until it goes.
	for _, o := range inside {
		c.awaitGone(o)
	}
}

// awaitGone waits until an object is gone.
func (c *cell) awaitGone(o object) {
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	watch, err := c.client(object{o.kind, o.namespace, ""}).Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + o.name})
	if err != nil {
		panic(err)
	}
	defer watch.Stop()
	for c.get(o) != nil {
		if _, ok := <-watch.ResultChan(); !ok {
			panic(fmt.Sprintf("%s does not go away", o))
		}
	}
}

// replaced are objects that are another's by now, or on their way out.
func replaced() []*fault {
	const finalizer = "example.com/blocks"
	block := func(c *cell) {
		if o, ok := c.picked(); ok {
			c.edit(o, func(live *unstructured.Unstructured) { live.SetFinalizers([]string{finalizer}) })
		}
	}
	unblock := func(c *cell) {
		for o, live := range c.live(c.subject.kinds) {
			if len(live.GetFinalizers()) > 0 {
				c.edit(o, func(live *unstructured.Unstructured) { live.SetFinalizers(nil) })
			}
		}
	}
	return []*fault{
		{
			row: rowReplaced, name: "replaced by somebody else's", of: owning, each: perObject,
			on: map[operation]outcome{read: told, update: told, destroy: succeeds},
			arrange: func(c *cell) {
				if o, ok := c.picked(); ok {
					c.foreign(o, c.get(o))
				}
			},
			check: func(c *cell) {
				c.checkForeign()
				// Where it was all that the instance had, the plan is to create it again: beside the other's, in
				// theirs, or not at all.
				said := fmt.Sprint(c.ws.Strings("drift")) + c.diags.Errors().String()
				if c.op == read && c.plan.Action != core.Create && !strings.Contains(said, "belongs to") && !strings.Contains(said, c.remember["picked"]+" exists") {
					c.problem("the plan does not say whose it is now: %s", said)
				}
			},
			undo: (*cell).removeForeign,
		},
		{
			row: rowReplaced, name: "finalizer blocks", of: owning, each: perObject, slow: true, limit: 8 * time.Second,
			on: map[operation]outcome{read: succeeds, update: told, destroy: fails}, arrange: block, undo: unblock,
			says: func(c *cell) []string { return []string{c.remember["picked"], finalizer} },
		},
		{
			row: rowReplaced, name: "being deleted, and going", of: owning, each: perObject,
			on: map[operation]outcome{read: succeeds, update: succeeds, destroy: succeeds},
			arrange: func(c *cell) {
				block(c)
				if o, ok := c.picked(); ok {
					c.remove(o)
				}
			},
			late: false,
			// It goes with the first write, or the first look at it.
			rules: func(c *cell, _ int) []proxy.Rule {
				return []proxy.Rule{{When: proxy.Verb("get"), Times: 3, Fault: proxy.Before("goes", c.during(func(proxy.Request) { unblock(c) }))}}
			},
			check: func(c *cell) {
				unblock(c)
				if c.op == read && c.plan.Action == core.NoOp {
					c.problem("the plan does not show it")
				}
			},
		},
		everyEdit(),
		{
			row: rowDrift, name: "managedFields wiped", of: owning, each: perObject,
			on: map[operation]outcome{read: succeeds, update: succeeds, destroy: succeeds},
			arrange: func(c *cell) {
				if o, ok := c.picked(); ok {
					_, err := c.client(o).Patch(context.Background(), o.name, types.MergePatchType, []byte(`{"metadata":{"managedFields":[{}]}}`), metav1.PatchOptions{})
					if err != nil {
						panic(err)
					}
				}
			},
		},
	}
}
