package faults

import (
	"context"
	"slices"
	"sort"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
