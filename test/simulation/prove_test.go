package simulation

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/test/simulation/generate"
)

var (
	cases   = flag.Int("cases", 300, "how many cases TestProve checks")
	seed    = flag.Int("seed", 1, "number of the first case of TestProve")
	batch   = flag.Int("batch", 150, "how many states TestProve gives to one generator process")
	only    = flag.String("operation", "", "the only operation that TestProve looks at")
	strict  = flag.Bool("strict", false, "whether updates are drawn that are known to open a way for a moment")
	capture = flag.Bool("capture", true, "whether some meshes capture DNS")
)

// operationOf says which operation a case looks at: most look at settled
// policies; an operation has dozens of moments, each of which is as much work
// as a settled case.
func operationOf(number int) string {
	if *only != "" {
		return *only
	}
	switch number % 200 {
	case 50:
		return opApply
	case 100:
		return opDestroy
	case 150:
		return opUpdate
	default:
		return opNone
	}
}

func TestProve(t *testing.T) {
	generate.Capture, generate.Strict = *capture, *strict
	began := time.Now()
	total := report{calls: map[string]int{}}
	states := map[string]int{}
	number := *seed
	failed := 0
	perCase := map[int]int{}
	for round := 0; number < *seed+*cases; round++ {
		settings := generate.Settings[round%len(generate.Settings)]
		var names namer
		var all []state
		var of []testCase
		for len(all) < *batch && number < *seed+*cases {
			c := drawCase(settings, number, operationOf(number))
			number++
			drawn, err := c.states(&names)
			if err != nil {
				t.Errorf("case %d: %v\n%s", c.seed, err, text(c.scenario))
				continue
			}
			for _, s := range drawn {
				states[s.kind]++
				all = append(all, s)
				of = append(of, c)
			}
		}
		t.Run(fmt.Sprintf("to %d", number), func(t *testing.T) {
			r := check(t, settings, all)
			for kind, n := range r.calls {
				total.calls[kind] += n
			}
			for _, m := range r.mismatches {
				failed++
				c, s := of[m.state], all[m.state]
				if perCase[c.seed]++; perCase[c.seed] > 2 || len(perCase) > 15 {
					continue
				}
				t.Errorf("case %d, %s %s: %s\nafter: %s", c.seed, s.kind, s.moment, m, text(s.after))
				if !s.settled() {
					t.Logf("before: %s", text(s.before))
				} else if perCase[c.seed] == 1 && len(perCase) <= 3 {
					keep(t, c)
				}
			}
		})
	}
	calls := 0
	for _, kind := range slices.Sorted(maps.Keys(total.calls)) {
		t.Logf("%8d %s", total.calls[kind], kind)
		calls += total.calls[kind]
	}
	t.Logf("seed %d, %d cases, states %v, %d calls, %d mismatches, %s", *seed, *cases, states, calls, failed, time.Since(began).Round(time.Second))
	if failed > 0 {
		t.Errorf("%d mismatches", failed)
	}
	// A proof over calls that lead nowhere proves nothing.
	for _, kind := range []string{"as meant: via gateway", "as meant: blocked", "straight, as the sidecar: via gateway", "straight, stolen server name: blocked"} {
		if total.calls[kind] < *cases/10 {
			t.Errorf("only %d calls of the kind %q", total.calls[kind], kind)
		}
	}
}
