package faults

import (
	"fmt"
	"os"
	"path/filepath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

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
				// What an update that was killed may have left of a kind that the instance does not have is
				// looked for where that is allowed.
				if c.op == read && len(c.live(c.subject.kinds[c.at:c.at+1])) > 0 && len(c.diags.Errors()) == 0 {
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
