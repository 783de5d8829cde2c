package faults

import (
	"context"
	"maps"

	"github.com/meshegress/terraform-provider-istio/test/faults/core"
)

// standing is an instance that a cell has left whole, for the next one: without
// the fault its plan was empty, and its state knew all that lives.
type standing struct {
	subject *subject
	ws      *core.Workspace
	id      string
	// after is which of the subject's two configurations it has.
	after    bool
	borrowed map[string]string
}

// prepare gives the cell the instance that its operation starts from: none, the
// first configuration, or for a destroy at each of its writes the second.
func (c *cell) prepare() {
	none := c.op == planNew || c.op == create
	if c.standing != nil && (none || !c.shares() || c.standing.subject != c.subject) {
		c.takeDown()
	}
	before := c.standing
	c.standing = nil
	if before != nil {
		c.ws, c.id, c.after, c.borrowed = before.ws, before.id, before.after, before.borrowed
	} else {
		c.ws = c.workspace(c.subject.typ)
		for key, value := range c.fault.provider {
			c.ws.Provider[key] = value
		}
		if c.subject.borrowed != nil {
			c.borrowed = c.subject.borrowed(c.world)
		}
	}
	after := c.op == destroy && c.fault.when != nil
	if none || before != nil && c.after == after {
		return
	}
	c.after = after
	if diags := c.ws.Apply(c.ctx, c.config(after, true)); len(diags.Errors()) > 0 {
		c.problem("the cell could not be prepared: %s", diags)
	}
}

// shares reports whether the cell takes an instance that others have left, and
// leaves its own: not where the fault needs another provider block, or other
// configurations than the subject's.
func (c *cell) shares() bool {
	if c.fault.edits && c.op == read { // what was put back by hand is somebody else's by managedFields
		return false
	}
	return c.fault.provider == nil && c.fault.baseConfig == nil && c.fault.limit == 0 && !c.fault.leaves
}

// leave hands the cell's instance to the next one.
func (c *cell) leave() {
	c.standing = &standing{c.subject, c.ws, c.id, c.after, c.borrowed}
	if !c.shares() {
		c.takeDown()
	}
}

// takeDown destroys the instance that stands, and looks at what is left of it.
func (c *cell) takeDown() {
	s := c.standing
	c.standing = nil
	if diags := s.ws.Apply(c.ctx, nil); len(diags.Errors()) > 0 {
		c.problem("the destroy says: %s", diags)
	}
	c.checkGone(s)
}

// checkGone: a destroy leaves nothing, and gives back what it had borrowed.
func (c *cell) checkGone(s *standing) {
	if s.ws.Exists {
		c.problem("destroyed, and still in the state")
	}
	if left := c.live(s.subject.kinds); len(left) > 0 {
		c.problem("the destroy has left %s", names(left))
		c.purge(s.subject.kinds)
	}
	if s.subject.borrowed != nil {
		if now := s.subject.borrowed(c.world); !maps.Equal(now, s.borrowed) {
			c.problem("borrowed: %v, given back: %v", s.borrowed, now)
			s.subject.restore(c.world)
		}
	}
}

// finish destroys what the last cell has left.
func (w *world) finish() []string {
	if w.standing == nil {
		return nil
	}
	c := &cell{world: w, ctx: context.Background()}
	w.proxy.Arm()
	c.takeDown()
	return c.problems
}
