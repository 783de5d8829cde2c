package faults

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// operation is what Terraform does while the fault is there.
type operation string

const (
	planNew operation = "plan" // of something that does not exist yet
	create  operation = "create"
	read    operation = "read"
	update  operation = "update"
	destroy operation = "delete"
	imports operation = "import"
)

var operations = []operation{planNew, create, read, update, destroy, imports}

// writes reports whether the operation may change the cluster.
func (o operation) writes() bool { return o == create || o == update || o == destroy }

// outcome is what an operation has to come to.
type outcome string

const (
	// succeeds: without an error, and with the state that it would have had.
	succeeds outcome = "R"
	// fails: with an error that names what failed; the state is kept, what was
	// created is tainted.
	fails outcome = "E"
	// told: with an error or a warning, or with nothing to say because the
	// answer was not needed.
	told outcome = "told"
)

// fault is a row of the matrix, or a part of one.
type fault struct {
	// row is the row of the matrix, name what it is in particular.
	row, name string
	// on are the operations, with what each has to come to.
	on map[operation]outcome
	// of are the subjects; nil: all.
	of []*subject
	// when are the requests of which each in turn meets the fault; nil: the
	// fault is there from the beginning, once.
	when func(proxy.Request) bool
	// rules returns the proxy's rules for request number at.
	rules func(c *cell, at int) []proxy.Rule
	// each is how many variants there are of a fault that is there from the
	// beginning; nil: one.
	each func(s *subject) int
	// arrange prepares the cluster, between plan and apply if late is set, else
	// before the operation.
	arrange func(c *cell)
	late    bool
	// says are texts that every error has to contain.
	says func(c *cell) []string
	// check looks further, right after the operation.
	check func(c *cell)
	// undo ends the situation, before the next apply.
	undo func(c *cell)
	// limit is the resource's timeout of each operation, and with what one
	// write may take the longest time that an operation may last.
	limit time.Duration
	// edits: the situation edits every field, by hand.
	edits bool
	// slow marks faults that take long; the fast slice leaves them out.
	slow bool
	// provider changes the provider block.
	provider core.Object
	// kill ends the process at the request: nothing it answers reaches a state.
	kill bool
	// turns: what is applied after the kill is another configuration.
	turns bool
	// leaves says that the situation keeps objects alive that a destroy is
	// right to believe gone.
	leaves bool
	// baseConfig stands in for the subject's configurations.
	baseConfig func(c *cell, after bool) core.Object
}

// cell is one fault at one request of one operation of one subject.
type cell struct {
	*world
	fault   *fault
	op      operation
	subject *subject
	at      int
	id      string
	ws      *core.Workspace

	ctx    context.Context
	cancel context.CancelFunc

	// after is which of the subject's two configurations the instance has.
	after    bool
	borrowed map[string]string
	diags    core.Diagnostics
	plan     core.Plan
	before   core.Workspace
	journal  []proxy.Request
	wall     time.Duration
	problems []string
	// killed is set once the process is gone.
	killed atomic.Bool
	mu     sync.Mutex
	// foreignAt is where somebody else has put an object, foreignSpec what.
	foreignAt   object
	foreignSpec string
	// user is a workspace whose policy uses the cell's gateway.
	user *core.Workspace
	// cancelOperation ends the operation as SIGINT does.
	cancelOperation context.CancelFunc
	// edits and refused count the foreign edits that the server took, and did not.
	edits, refused int
	// remember is what a fault's own functions hand to one another.
	remember map[string]string
}

func (c *cell) name() string {
	return fmt.Sprintf("%s: %s, %s %s @%d", c.fault.row, c.fault.name, c.op, c.subject.name, c.at)
}

func (c *cell) problem(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// during makes what a rule does in the middle of the operation fail the cell,
// rather than the request, where it cannot be done.
func (c *cell) during(do func(proxy.Request)) func(proxy.Request) {
	return func(r proxy.Request) {
		defer func() {
			if p := recover(); p != nil {
				c.problem("panic at %s: %v", r, p)
			}
		}()
		do(r)
	}
}

// config returns a configuration of the cell's instance, with the limits of
// the fault while it is there.
func (c *cell) config(after, limited bool) core.Object {
	var config core.Object
	switch {
	case c.fault.baseConfig != nil:
		config = c.fault.baseConfig(c, after)
	case after:
		config = c.subject.after(c.world, c.id)
	default:
		config = c.subject.before(c.world, c.id)
	}
	if limited && c.fault.limit > 0 {
		limit, first := c.fault.limit.String(), c.fault.limit.String()
		if c.op != create {
			first = "3m" // the fault is not there yet
		}
		config["timeouts"] = core.Object{"create": first, "read": limit, "update": limit, "delete": limit}
	}
	return config
}

// wanted is what the operation asks for.
func (c *cell) wanted(limited bool) core.Object {
	switch c.op {
	case destroy:
		return nil
	case create:
		return c.config(c.fault.turns && !c.killed.Load(), limited)
	case planNew, update:
		return c.config(true, limited)
	}
	return c.config(c.after, limited)
}

// run runs a cell and returns what was wrong.
func (w *world) run(f *fault, op operation, s *subject, at int) *cell {
	w.cells++
	c := &cell{
		world: w, fault: f, op: op, subject: s, at: at, id: fmt.Sprintf("c%d", w.cells), remember: map[string]string{},
	}
	defer func() {
		if p := recover(); p != nil {
			c.problem("panic: %v", p)
		}
		w.proxy.Arm()
		w.proxy.Shape(proxy.Link{})
		if len(c.problems) > 0 {
			w.standing = nil
			w.purge(s.kinds)
			if s.restore != nil {
				s.restore(w)
			}
		}
	}()
	c.ctx, c.cancel = context.WithTimeout(context.Background(), 4*time.Minute)
	defer c.cancel()
	w.proxy.Arm()
	if c.prepare(); len(c.problems) > 0 {
		return c
	}
	if f.arrange != nil && !f.late {
		f.arrange(c)
	}
	c.before = c.ws.Save()
	c.act()
	c.judge()
	if f.check != nil {
		f.check(c)
	}
	c.settle()
	return c
}

// act runs the operation while the fault is there.
func (c *cell) act() {
	began := time.Now()
	arm := func() {
		c.before = c.ws.Save()
		if c.fault.arrange != nil && c.fault.late {
			c.fault.arrange(c)
		}
		began = time.Now()
		c.arm()
	}
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	c.cancelOperation = cancel
	switch c.op {
	case planNew:
		arm()
		c.plan, c.diags = c.ws.Plan(ctx, c.wanted(true))
	case read:
		arm()
		c.plan, c.diags = c.ws.Plan(ctx, c.wanted(true))
	case imports:
		arm()
		other := c.workspace(c.subject.typ)
		other.Provider = c.ws.Provider
		c.diags = other.Import(ctx, c.subject.id(c.world, c.id))
		if len(c.diags.Errors()) == 0 {
			c.remember["imported"] = other.Text()
		}
	default:
		c.ws.BeforeApply = arm
		c.diags = c.ws.Apply(ctx, c.wanted(true))
		c.ws.BeforeApply = nil
	}
	c.wall = time.Since(began)
	c.journal = c.proxy.Journal()
	c.proxy.Disarm()
	if c.fault.undo != nil && c.fault.leaves {
		c.fault.undo(c)
	}
	if c.killed.Load() {
		c.ws.Restore(c.before)
	}
}

func (c *cell) arm() {
	var rules []proxy.Rule
	if c.fault.rules != nil {
		rules = c.fault.rules(c, c.at)
	}
	c.proxy.Arm(rules...)
}

// hit are the requests that met the fault.
func (c *cell) hit() []proxy.Request {
	var hit []proxy.Request
	for _, r := range c.journal {
		if r.Fault != "" {
			hit = append(hit, r)
		}
	}
	return hit
}

// judge compares the operation's end with what the matrix says.
func (c *cell) judge() {
	errs := c.diags.Errors()
	for _, r := range c.journal {
		if r.IsWrite() && !c.op.writes() {
			c.problem("%s writes: %s", c.op, r)
		}
		if r.Verb == "" {
			c.problem("discovery: %s", r)
		}
	}
	if c.killed.Load() {
		return
	}
	switch c.fault.on[c.op] {
	case succeeds:
		if len(errs) > 0 {
			c.problem("should have succeeded: %s", errs)
		}
	case fails:
		if len(errs) == 0 && !c.didWithout() {
			c.problem("should have failed, and ended with: %s", c.diags)
		}
	}
	c.judgeState(len(errs) > 0)
	for _, d := range errs {
		c.judgeError(d)
	}
	if c.fault.limit > 0 {
		// A write under way is waited for, whatever the limit: 30 s. A plan
		// looks things up beside, for 15 s.
		if most := c.fault.limit + 30*time.Second + 15*time.Second + 10*time.Second; c.wall > most {
			c.problem("took %s, and the limit is %s", c.wall.Round(time.Second), c.fault.limit)
		}
	}
}

// didWithout reports whether the operation did not need what the fault took: it met
// no request (how many writes an update takes depends on who else has written), or
// only look-ups after the last write, of which a warning tells.
func (c *cell) didWithout() bool {
	if c.fault.rules == nil {
		return false
	}
	hit := c.hit()
	if len(hit) == 0 {
		return true
	}
	isWrite := func(r proxy.Request) bool { return r.IsWrite() }
	return strings.Contains(c.diags.String(), "What holds now cannot be told") && !slices.ContainsFunc(hit, isWrite) && slices.ContainsFunc(c.journal, isWrite)
}

func (c *cell) judgeState(failed bool) {
	switch {
	case c.op == create && !failed:
		if !c.ws.Exists || c.ws.Tainted {
			c.problem("created, and the state says exists=%v tainted=%v", c.ws.Exists, c.ws.Tainted)
		}
	case c.op == create:
		if c.ws.Exists && !c.ws.Tainted {
			c.problem("the create failed, and the state has it as if it were whole")
		}
	case c.op == destroy && !failed:
		if c.ws.Exists {
			c.problem("destroyed, and still in the state")
		}
	case c.op == read || c.op == update || c.op == destroy:
		if failed && (!c.ws.Exists || c.ws.Tainted) {
			c.problem("the %s failed, and the state says exists=%v tainted=%v", c.op, c.ws.Exists, c.ws.Tainted)
		}
	}
}

// judgeError: an error names what failed and says what to do.
func (c *cell) judgeError(d core.Diagnostic) {
	text := d.Summary + "\n" + d.Detail
	switch {
	case d.Summary == "The operation failed" || strings.HasPrefix(d.Summary, "Provider produced") || strings.HasPrefix(d.Summary, "Provider returned"):
		c.problem("an error that says nothing: %s", d)
	case len(text) > 6000:
		c.problem("an error of %d bytes: %.300s", len(text), text)
	case strings.Contains(text, "/api/v1/") || strings.Contains(text, "/apis/"):
		c.problem("an error with a path of the API: %s", d)
	}
	if c.fault.says == nil {
		return
	}
	for _, want := range c.fault.says(c) {
		if !strings.Contains(text, want) {
			c.problem("the error should say %q: %s", want, d)
		}
	}
}
