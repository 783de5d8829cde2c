package simulation

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/test/simulation/generate"
)

var (
	cases = flag.Int("cases", 300, "how many cases TestProve checks")
	seed  = flag.Int("seed", 1, "what TestProve draws its cases from")
	one   = flag.Int("case", 0, "the only case that TestProve checks")
	batch = flag.Int("batch", 150, "how many states TestProve gives to one generator process")
	only  = flag.String("operation", "", "the only operation that TestProve looks at")
)

// operationOf says which operation a case looks at: most look at settled
// policies; an operation has a dozen moments, each of which is as much work
// as a settled case.
func operationOf(number int) string {
	switch {
	case *only != "":
		return *only
	case number%200 == 50:
		return opApply
	case number%200 == 100:
		return opDestroy
	case number%50 == 5:
		return opUpdate
	default:
		return opNone
	}
}

// waiting are the states of cases that share a mesh, until there are enough of
// them for a generator.
type waiting struct {
	states []state
	of     []int // number of the case
}

func TestProve(t *testing.T) {
	from, to := 1, *cases
	if *one != 0 {
		from, to = *one, *one
	}
	p := &proof{t: t, began: time.Now(), total: report{calls: map[string]int{}}, states: map[string]int{}, drawn: map[string]int{}, failed: map[int]int{}, tally: generate.NewTally()}
	held := make([]waiting, len(generate.Settings))
	for number := from; number <= to; number++ {
		c := drawCase(*seed, number, operationOf(number), p.tally)
		var names namer
		mesh := slices.IndexFunc(generate.Settings, c.Scenario.Settings.Equal)
		w := &held[mesh]
		names = namer(len(w.states))
		states, err := c.states(&names)
		if errors.Is(err, errClash) {
			p.states["refused"]++
			continue
		}
		if err != nil {
			t.Errorf("SEED=%d CASE=%d: %v\n%s", *seed, number, err, text(c.Scenario))
			continue
		}
		p.count(c, states)
		for _, s := range states {
			w.states = append(w.states, s)
			w.of = append(w.of, number)
		}
		if len(w.states) >= *batch {
			p.check(*w)
			*w = waiting{}
		}
	}
	for _, w := range held {
		p.check(w)
	}
	p.report(to - from + 1)
}

// proof sums up what was checked.
type proof struct {
	t      *testing.T
	began  time.Time
	total  report
	states map[string]int
	drawn  map[string]int
	tally  *generate.Tally
	// failed counts the mismatches of each case.
	failed map[int]int
}

func (p *proof) count(c testCase, states []state) {
	for _, s := range states {
		p.states[s.kind]++
	}
	for _, feature := range generate.Features(c.Scenario) {
		p.drawn[feature]++
	}
}

// toldCases and toldOfCase bound what is printed of mismatches.
const toldCases, toldOfCase, keptCases = 15, 2, 3

func (p *proof) check(w waiting) {
	if len(w.states) == 0 {
		return
	}
	p.t.Run(fmt.Sprintf("cases %d to %d", slices.Min(w.of), slices.Max(w.of)), func(t *testing.T) {
		r := check(t, w.states[0].after.Settings, w.states)
		for kind, n := range r.calls {
			p.total.calls[kind] += n
		}
		for _, m := range r.mismatches {
			number, s := w.of[m.state], w.states[m.state]
			if p.failed[number]++; p.failed[number] > toldOfCase || len(p.failed) > toldCases {
				continue
			}
			t.Errorf("SEED=%d CASE=%d, %s %s: %s\nafter: %s", *seed, number, s.kind, s.moment, m, text(s.after))
			if !s.settled() {
				t.Logf("before: %s", text(s.before))
			}
			if p.failed[number] == 1 && len(p.failed) <= keptCases {
				keep(t, drawCase(*seed, number, operationOf(number), nil), filepath.Join(regressions, fmt.Sprintf("seed-%d-case-%d.yaml", *seed, number)))
			}
		}
	})
}

func (p *proof) report(n int) {
	calls, failed := 0, 0
	for _, kind := range slices.Sorted(maps.Keys(p.total.calls)) {
		p.t.Logf("%8d calls: %s", p.total.calls[kind], kind)
		calls += p.total.calls[kind]
	}
	for _, feature := range generate.AllFeatures() {
		p.t.Logf("%8d cases: %s", p.drawn[feature], feature)
		if p.drawn[feature] == 0 && n >= 300 {
			p.t.Errorf("no case with %s", feature)
		}
	}
	for _, m := range p.failed {
		failed += m
	}
	p.t.Logf("%d policies drawn that fit", p.tally.Fit)
	for _, why := range slices.Sorted(maps.Keys(p.tally.Invalid)) {
		p.t.Logf("%8d invalid: %s", p.tally.Invalid[why], why)
	}
	for _, why := range slices.Sorted(maps.Keys(p.tally.Refused)) {
		p.t.Logf("%8d refused beside others (%.0f %% of the valid ones are): %s", p.tally.Refused[why], 100*p.tally.RefusedShare(), why)
	}
	p.t.Logf("SEED=%d: %d cases, states %v, %d calls, %d mismatches, %s", *seed, n, p.states, calls, failed, time.Since(p.began).Round(time.Second))
	if failed > 0 {
		p.t.Errorf("%d mismatches", failed)
	}
	if n < 300 {
		return
	}
	// A proof over calls that lead nowhere proves nothing.
	for _, kind := range generate.Kinds() {
		if p.total.calls[kind+": blocked"]+p.total.calls[kind+": direct"]+p.total.calls[kind+": via gateway"] == 0 {
			p.t.Errorf("no call of the kind %q", kind)
		}
	}
	for _, kind := range []string{"as meant: via gateway", "as meant: blocked", "straight, as the sidecar: via gateway", "straight, stolen server name: blocked"} {
		if p.total.calls[kind] < n/10 {
			p.t.Errorf("only %d calls: %s", p.total.calls[kind], kind)
		}
	}
}
