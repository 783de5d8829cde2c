package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
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

// owning are the subjects that make objects.
var owning = []*subject{policy, gateway, ownSidecar, workloadSidecar}

// situations are the rows that somebody else makes in the cluster, and those
// of Terraform's own process.
func situations() []*fault {
	all := append(conflicts(), taken()...)
	all = append(all, access()...)
	all = append(all, gone()...)
	all = append(all, replaced()...)
	all = append(all, others()...)
	all = append(all, modes()...)
	return append(all, signals()...)
}

// perObject is how many variants a situation has that meets each object of the
// first configuration in turn.
func perObject(s *subject) int {
	switch s {
	case policy:
		return 14
	case gateway:
		return 8
	}
	return 1
}

// picked returns the live object that the cell is about.
func (c *cell) picked() (object, bool) {
	live := c.live(c.subject.kinds)
	all := make([]object, 0, len(live))
	for o := range live {
		all = append(all, o)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].String() < all[j].String() })
	if len(all) == 0 {
		return object{}, false
	}
	o := all[c.at%len(all)]
	c.remember["picked"] = live[o].GetKind() + "/" + o.namespace + "/" + o.name
	return o, true
}

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

// access is what the provider may not do.
func access() []*fault {
	deny := func(verbs ...string) func(c *cell, at int) []proxy.Rule {
		return func(c *cell, at int) []proxy.Rule {
			return []proxy.Rule{{When: proxy.Of(c.subject.kinds[at].Resource, proxy.Verb(verbs...)), Fault: status(403, metav1.StatusReasonForbidden,
				"User \"system:serviceaccount:terraform:terraform-provider-istio\" cannot do that")}}
		}
	}
	kinds := func(s *subject) int { return len(s.kinds) }
	return []*fault{
		{
			row: rowAccess, name: "403 on writes of one kind", of: owning, each: kinds, on: changing(told), rules: deny("apply", "update", "delete"),
			check: func(c *cell) {
				if len(c.hit()) > 0 && len(c.diags.Errors()) == 0 {
					c.problem("403, and not a word")
				}
			},
		},
		{row: rowAccess, name: "403 on lists of one kind", of: []*subject{policy, gateway}, each: kinds, rules: deny("list"),
			on: map[operation]outcome{planNew: told, create: told, read: told, update: told, destroy: told, imports: told},
			check: func(c *cell) {
				// A port that an update which was killed has reserved stands in no state: only a LIST finds it.
				if c.op == read && c.subject.kinds[c.at] != gateways && len(c.diags.Errors()) > 0 {
					c.problem("a GET for each object would have done: %s", c.diags)
				}
			}},
		{row: rowAccess, name: "403 on reads of one kind", of: owning, each: kinds, rules: deny("list", "get"),
			on: map[operation]outcome{planNew: told, create: told, read: told, update: told, destroy: told, imports: told},
			check: func(c *cell) {
				if c.op == read && len(c.hit()) > 0 && len(c.diags.Errors()) == 0 {
					c.problem("403, and not a word")
				}
				for _, r := range c.journal {
					if c.op == create && r.IsWrite() && r.Code < 300 && len(c.diags.Errors()) > 0 && r.Resource != "gateways" {
						c.problem("written before the error: %s", r)
					}
				}
			}},
		{
			row: rowAccess, name: "exec plugin fails once", on: everywhere(succeeds),
			baseConfig: func(c *cell, after bool) core.Object {
				c.usePlugin()
				if after {
					return c.subject.after(c.world, c.id)
				}
				return c.subject.before(c.world, c.id)
			},
			arrange: func(c *cell) { _ = os.Remove(c.remember["plugin"]) }, late: true,
			undo: func(c *cell) { _ = os.RemoveAll(filepath.Dir(c.remember["plugin"])) },
		},
	}
}

// usePlugin makes the cell's provider ask an exec plugin, which fails when the
// file `plugin` is not there, and makes it.
func (c *cell) usePlugin() {
	if c.remember["plugin"] != "" {
		return
	}
	dir, err := os.MkdirTemp("", "faults-plugin-")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(dir, "asked")
	c.remember["plugin"] = file
	answer := fmt.Sprintf(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":%q}}`, c.f.Credentials().Token)
	c.ws.Provider["token"] = nil
	c.ws.Provider["exec"] = []any{core.Object{
		"api_version": "client.authentication.k8s.io/v1", "command": "sh",
		"args": []any{"-c", `if [ -e "$ASKED" ]; then echo "$ANSWER"; else : >"$ASKED"; exit 1; fi`},
		"env":  core.Object{"ASKED": file, "ANSWER": answer},
	}}
}

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
				if c.op == read && c.ws.Exists && !strings.Contains(fmt.Sprint(c.ws.Strings("drift")), "belongs to") {
					c.problem("the plan does not say whose it is now: %v", c.ws.Strings("drift"))
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

// others are rows of one situation.
func others() []*fault {
	apiService := object{gvr("apiregistration.k8s.io", "v1", "apiservices"), "", "v1.broken.example.com"}
	return []*fault{
		{
			row: rowAPIs, name: "unrelated aggregated API down", on: everywhere(succeeds),
			arrange: func(c *cell) {
				o := apiService
				o.name = "v1." + c.id + "-" + c.revision + ".example.com"
				body := &unstructured.Unstructured{Object: map[string]any{
					"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": o.name},
					"spec": map[string]any{
						"group": c.id + "-" + c.revision + ".example.com", "version": "v1", "insecureSkipTLSVerify": true,
						"groupPriorityMinimum": int64(1000), "versionPriority": int64(15),
						"service": map[string]any{"name": "theirs", "namespace": c.egress},
					},
				}}
				if _, err := c.client(o).Create(context.Background(), body, metav1.CreateOptions{}); err != nil {
					panic(err)
				}
				c.remember["apiservice"] = o.name
			},
			undo: func(c *cell) {
				o := apiService
				o.name = c.remember["apiservice"]
				c.remove(o)
			},
		},
		{
			// What asks for the groups and kinds of the server waits for each of its APIs.
			row: rowAPIs, name: "unrelated aggregated API hangs", on: everywhere(succeeds),
			rules: func(*cell, int) []proxy.Rule {
				return []proxy.Rule{{When: func(r proxy.Request) bool { return r.Verb == "" }, Fault: proxy.Hang}}
			},
		},
		{
			row: rowInUse, name: "destroyed while policies use it", on: map[operation]outcome{destroy: fails}, of: []*subject{gateway},
			arrange: func(c *cell) {
				user := c.workspace(policy.typ)
				config := policy.before(c.world, "user-"+c.id)
				config["by_egress_gateway"] = core.Object{"name": c.id, "namespace": c.egress}
				if diags := user.Apply(c.ctx, config); len(diags.Errors()) > 0 {
					panic(diags.String())
				}
				c.user = user
			},
			says: func(c *cell) []string { return []string{"user-" + c.id, "force_destroy"} },
			undo: func(c *cell) {
				if diags := c.user.Apply(c.ctx, nil); len(diags.Errors()) > 0 {
					c.problem("the destroy of the user says: %s", diags)
				}
			},
		},
	}
}

// modes are flags of plan and apply.
func modes() []*fault {
	noRefresh := func(c *cell) { c.ws.NoRefresh = true }
	again := func(c *cell) { c.ws.NoRefresh, c.ws.Replace = false, false }
	return []*fault{
		{row: rowModes, name: "-refresh=false", on: changing(succeeds), arrange: noRefresh, undo: again},
		{
			row: rowModes, name: "-refresh=false, and an object gone", of: owning, each: perObject,
			on: map[operation]outcome{update: succeeds, destroy: succeeds},
			arrange: func(c *cell) {
				if o, ok := c.picked(); ok {
					c.remove(o)
				}
				noRefresh(c)
			}, undo: again,
		},
		{
			row: rowModes, name: "-replace", on: map[operation]outcome{update: succeeds},
			arrange: func(c *cell) { c.ws.Replace = true }, undo: again,
			check: func(c *cell) {
				deletes := 0
				for _, r := range c.journal {
					if r.Verb == "delete" {
						deletes++
					}
				}
				if slices.Contains(owning, c.subject) && deletes == 0 {
					c.problem("nothing was deleted")
				}
			},
		},
	}
}

// signals end Terraform, or the provider, at each write.
func signals() []*fault {
	kill := func(name string, committed bool, provider core.Object) *fault {
		return &fault{
			row: rowSignals, name: name, on: changing(told), when: proxy.Writes, kill: true, provider: provider,
			rules: func(c *cell, at int) []proxy.Rule {
				die := func(proxy.Request) {
					c.killed.Store(true)
					c.cancelOperation()
				}
				end := proxy.Instead("killed", die, proxy.Reset)
				if committed {
					end = proxy.Killed(die)
				}
				return []proxy.Rule{
					{When: proxy.Writes, Skip: at, Times: 1, Fault: end},
					{When: after(proxy.Writes, at), Fault: proxy.Reset},
				}
			},
		}
	}
	turns := kill("SIGKILL after write k, owner_id, then another configuration", true, ownerID)
	turns.on, turns.turns = map[operation]outcome{create: told}, true
	return []*fault{
		turns,
		{
			row: rowSignals, name: "SIGINT at write k", on: changing(told), when: proxy.Writes,
			rules: func(c *cell, at int) []proxy.Rule {
				return []proxy.Rule{{When: proxy.Writes, Skip: at, Times: 1, Fault: proxy.Before("SIGINT", func(proxy.Request) { c.cancelOperation() })}}
			},
			check: func(c *cell) {
				for _, r := range c.hit() {
					if r.Code == 0 || r.Code >= 500 {
						c.problem("the write under way was cut off: %s %d", r, r.Code)
					}
				}
			},
		},
		kill("SIGKILL before write k", false, nil),
		kill("SIGKILL after write k", true, nil),
		kill("SIGKILL after write k, owner_id", true, ownerID),
	}
}
