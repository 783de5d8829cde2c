package faults

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
)

// flagged is a workspace with a gateway, policies on it and an outbound policy.
type flagged struct {
	*testing.T
	w        *world
	space    *acctest.Workspace
	policies int
	report   *report
}

// write puts down the configuration in one of two versions.
func (f *flagged) write(after bool) {
	of := func(s *subject, id string) core.Object {
		if after {
			return s.after(f.w, id)
		}
		return s.before(f.w, id)
	}
	gatewayOf := of(gateway, "egw")
	gatewayOf["force_destroy"] = true // for -replace
	policies := core.Object{}
	for i := range f.policies {
		id := fmt.Sprintf("p%d", i)
		policies[id] = of(policy, id)
		policies[id].(core.Object)["depends_on"] = []any{gateway.typ + ".egw"}
		for _, to := range policies[id].(core.Object)["egress_rules"].([]any)[0].(core.Object)["to"].([]any) {
			if to := to.(core.Object); to["addresses"] != nil {
				to["addresses"] = []any{fmt.Sprintf("203.0.113.%d", i+1)} // TCP of two hosts cannot share one
			}
		}
	}
	f.space.Write("resources.tf.json", jsonOf(core.Object{"resource": core.Object{
		gateway.typ: core.Object{"egw": gatewayOf}, policy.typ: policies, ownSidecar.typ: core.Object{"shop": of(ownSidecar, "shop")},
	}}))
}

// run runs a command, and then looks whether the plan is empty, or not.
func (f *flagged) run(op operation, flag string, args []string, then int) {
	began := time.Now()
	command := slices.Insert(slices.Clone(args), 1, flag)
	result, err := f.space.Run(f.Context(), command...)
	failed := err != nil || result.ExitCode != 0
	if failed {
		f.Errorf("%s %s: %v\n%s", op, flag, err, result.Output)
	}
	if then >= 0 {
		if result, err = f.space.Run(f.Context(), acctest.Plan...); err != nil || result.ExitCode != then {
			failed = true
			f.Errorf("the plan after %s %s ends with %d: %v\n%s", op, flag, result.ExitCode, err, result.Output)
		}
	}
	f.report.note(rowModes, "the CLI with "+flagName(flag), op, succeeds, strconv.Itoa(f.policies)+" policies", failed, time.Since(began))
}

func flagName(flag string) string {
	for i := range flag {
		if flag[i] == '[' || flag[i] == '.' {
			return flag[:i]
		}
	}
	return flag
}

// TestFlags applies, changes and destroys a gateway, policies on it and an
// outbound policy with each flag of the CLI that changes what a plan sees or how
// much goes on at once. It takes a minute: with -full.
func TestFlags(t *testing.T) {
	if !*full {
		t.Skip("with -full")
	}
	acc := acctest.New(t)
	w := newWorld(t, acc, 200)
	f := &flagged{T: t, w: w, space: acc.Workspace(acc.CLI, acc.Config("")), policies: 12, report: newReport()}

	f.write(false)
	f.run(create, "-parallelism=1", acctest.Apply, acctest.NoChanges)
	f.run(read, "-parallelism=1", acctest.Apply, acctest.NoChanges)
	f.write(true)
	f.run(update, "-target="+policy.typ+".p1", acctest.Apply, acctest.HasChanges)
	f.run(update, "-refresh=false", acctest.Apply, acctest.NoChanges)
	f.write(false)
	f.run(update, "-parallelism=1", acctest.Apply, acctest.NoChanges)
	f.write(true)
	f.run(update, "-parallelism=50", acctest.Apply, acctest.NoChanges)
	f.run(read, "-refresh=false", acctest.Apply, acctest.NoChanges)
	for _, one := range []string{policy.typ + ".p0", ownSidecar.typ + ".shop", gateway.typ + ".egw"} {
		f.run(update, "-replace="+one, acctest.Apply, acctest.NoChanges)
	}
	f.run(destroy, "-target="+policy.typ+".p2", acctest.Destroy, acctest.HasChanges)
	f.run(create, "-target="+policy.typ+".p2", acctest.Apply, acctest.NoChanges)
	f.run(destroy, "-parallelism=1", acctest.Destroy, -1)
	f.run(create, "-parallelism=50", acctest.Apply, acctest.NoChanges)
	f.run(destroy, "-refresh=false", acctest.Destroy, -1)
	f.run(create, "-refresh=false", acctest.Apply, acctest.NoChanges)
	f.run(destroy, "-parallelism=50", acctest.Destroy, -1)

	for _, s := range []*subject{policy, gateway, ownSidecar} {
		if left := w.live(s.kinds); len(left) > 0 {
			t.Errorf("left: %s", names(left))
		}
	}
	c := &cell{world: w}
	if c.checkTheirs(); len(c.problems) > 0 {
		t.Error(c.problems)
	}
	f.report.finish(t)
}
