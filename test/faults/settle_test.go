package faults

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
)

// settle checks what must hold after each cell, whatever the fault was: nothing
// of anybody else was touched, the state says what exists, nothing is less
// guarded than before or after, nothing secret was said; and without the fault
// one apply ends in an empty plan, and a destroy leaves nothing.
func (c *cell) settle() {
	c.checkSecrets()
	if c.op.writes() {
		c.checkLive()
	}
	if c.fault.undo != nil && !c.fault.leaves {
		c.fault.undo(c)
	}
	if c.fault.limit > 0 {
		c.ws.Raise("timeouts", nil) // the limit was for the fault
	}
	switch {
	case c.fault.leaves:
		c.purge(c.subject.kinds)
	case c.op == planNew: // wrote nothing, says the journal
	default:
		if c.killed.Load() {
			c.resume()
		}
		c.converge()
	}
	c.checkTheirs()
}

// checkLive looks at what lives while the fault is there.
func (c *cell) checkLive() {
	live := c.live(c.subject.kinds)
	if !c.killed.Load() && !c.fault.leaves {
		c.checkStateKnows(live)
	}
	// Who has taken a guard away, or put something else in its place, answers for that.
	if c.subject.guard != nil && !c.fault.leaves && c.remember["foreign"] == "" {
		for _, open := range c.subject.guard(c.world, live) {
			c.problem("less guarded: %s", open)
		}
	}
}

// converge applies what was wanted, without the fault. The instance stays for
// the next cell, or is destroyed.
func (c *cell) converge() {
	wanted := c.wanted(false)
	plan, diags := c.ws.Plan(c.ctx, wanted)
	if len(diags.Errors()) > 0 {
		c.problem("the next plan fails: %s", diags)
		return
	}
	repaired := c.killed.Load() || plan.Action != core.NoOp
	if plan.Action != core.NoOp {
		if diags := c.ws.Execute(c.ctx, plan, wanted); len(diags.Errors()) > 0 {
			c.problem("the next apply fails: %s", diags)
			return
		}
		plan, diags = c.ws.Plan(c.ctx, wanted)
		switch {
		case len(diags.Errors()) > 0:
			c.problem("the plan after the next apply says: %s", diags)
		case plan.Action != core.NoOp:
			c.problem("the plan after the next apply is no empty one: %s, drift %v", plan.Action, c.ws.Strings("drift"))
		}
	}
	if wanted == nil {
		c.checkGone(&standing{c.subject, c.ws, c.id, c.after, c.borrowed})
		return
	}
	if repaired {
		c.checkStateKnows(c.live(c.subject.kinds))
	}
	c.checkPorts()
	c.after = c.after || c.op == update
	c.leave()
}

func (c *cell) checkTheirs() {
	now := c.look(c.theirs)
	for o, before := range c.snapshot {
		if now[o] != before {
			c.problem("touched: %s\nbefore %s\nafter  %s", o, before, now[o])
			c.snapshot[o] = now[o]
		}
	}
}

// checkSecrets: neither token nor certificate is in what was said or kept.
func (c *cell) checkSecrets() {
	said := c.diags.String() + c.ws.Text() + c.remember["imported"]
	for _, secret := range []string{c.f.Credentials().Token, "BEGIN CERTIFICATE"} {
		if strings.Contains(said, secret) {
			c.problem("a secret was said or kept")
		}
	}
}

// checkStateKnows: every live object of the instance stands in its state.
func (c *cell) checkStateKnows(live map[object]*unstructured.Unstructured) {
	room := map[string]int{}
	if c.ws.Exists {
		for key := range c.ws.Strings("manifests") {
			room[kindOf(key)]++
		}
		if at, ok := c.ws.State()["object"].(string); ok {
			room[kindOf(at)]++
		}
	}
	for o, body := range live {
		owner, owned := cluster.OwnerOf(body)
		if !owned || owner.Resource != c.subject.typ {
			continue
		}
		if key := body.GetKind() + " " + o.namespace; room[key] > 0 {
			room[key]--
			continue
		}
		c.problem("%s lives, and the state does not know it (exists=%v)", o, c.ws.Exists)
	}
}

// kindOf reads "Kind namespace" out of a key of manifests.
func kindOf(key string) string {
	parts := strings.SplitN(key, "/", 3)
	if len(parts) < 2 {
		return key
	}
	return parts[0] + " " + parts[1]
}

// checkPorts: the ports of a policy's state are those that its Gateways hold.
func (c *cell) checkPorts() {
	for member, port := range c.ws.Strings("gateway_ports") {
		o := object{gateways, c.egress, fmt.Sprintf("egw-%s", port)}
		live := c.get(o)
		if live == nil {
			c.problem("%s has port %s in the state, and no Gateway holds it", member, port)
			continue
		}
		if owner, _ := cluster.OwnerOf(live); !strings.HasSuffix(owner.ImportID, "/"+c.id) {
			c.problem("%s has port %s in the state, and its Gateway belongs to %s", member, port, owner)
		}
	}
}

// resume applies after a kill, and does what the error says where there is one.
func (c *cell) resume() {
	wanted := c.wanted(false)
	diags := c.ws.Apply(c.ctx, wanted)
	errs := diags.Errors()
	if len(errs) == 0 {
		return
	}
	text := errs.String()
	switch {
	case c.op != create || c.fault.provider["owner_id"] != nil && c.subject != theirSidecar: // whose Sidecar has no place for it
		c.problem("does not resume after the kill: %s", text)
	case strings.Contains(text, "terraform import "):
		if diags := c.ws.Import(c.ctx, c.subject.id(c.world, c.id)); len(diags.Errors()) > 0 {
			c.problem("the import that the error advises fails: %s\nafter: %s", diags, text)
		}
	case strings.Contains(text, "kubectl -n "):
		for o := range c.live(c.subject.kinds) {
			// As if what it prints were typed.
			for _, line := range strings.Split(text, "\n") {
				words := strings.Fields(line)
				if len(words) > 5 && words[0] == "kubectl" && words[2] == o.namespace && strings.HasPrefix(words[4], o.kind.Resource) && slices.Contains(words[5:], o.name) {
					c.remove(o)
				}
			}
		}
	default:
		c.problem("neither resumes after the kill nor says how: %s", text)
	}
}
