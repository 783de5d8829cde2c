package simulation

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/test/simulation/generate"
	"github.com/meshegress/terraform-provider-istio/test/simulation/judge"
	"github.com/meshegress/terraform-provider-istio/test/simulation/oracle"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// state is one moment of a case: what is in the cluster, and what it may do.
type state struct {
	// kind is what is counted: settledKind, or an operation.
	kind string
	// moment says how far the operation is.
	moment string
	// before and after are the scenarios of which no more than the union may
	// be granted; the same one when nothing is under way.
	before, after scenario.Scenario
	objects       []manifest.Object
	// probes are the calls to make; those of before and after when nil.
	probes []scenario.Call
}

func (s state) settled() bool { return s.kind == settledKind }

const settledKind = "policies"

// mismatch is a call that did not end as the oracle says.
type mismatch struct {
	state   int
	call    string
	verdict oracle.Verdict
	outcome scenario.Outcome
}

func (m mismatch) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  expected (%s):", m.call, m.verdict.Why)
	for _, e := range m.verdict.Exits {
		fmt.Fprintf(&b, " [%s]", e)
	}
	if m.verdict.Blocked {
		b.WriteString(" [blocked]")
	}
	for _, line := range m.outcome.Trace {
		fmt.Fprintf(&b, "\n    %s", line)
	}
	return b.String()
}

// report is what a run found.
type report struct {
	calls      map[string]int // by kind and verdict
	mismatches []mismatch
}

// check gives all states to one istiod and makes the calls.
func check(t *testing.T, settings scenario.Settings, states []state) report {
	r := report{calls: map[string]int{}}
	placed := make([]*judge.State, len(states))
	for i, s := range states {
		placed[i] = &judge.State{Scenario: s.after, Objects: s.objects}
	}
	mesh := judge.New(t, settings, placed)
	for _, rejected := range mesh.Rejected {
		r.mismatches = append(r.mismatches, mismatch{
			state: rejected.State, call: rejected.Key,
			outcome: scenario.Outcome{Trace: []string{"Istio's validation refuses it: " + rejected.Err.Error()}},
		})
	}
	found := make([]report, len(states))
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range states {
		workers.Go(func() error {
			found[i] = follow(mesh, placed[i], i, s)
			placed[i].Forget()
			return nil
		})
	}
	_ = workers.Wait()
	for _, f := range found {
		r.mismatches = append(r.mismatches, f.mismatches...)
		for kind, n := range f.calls {
			r.calls[kind] += n
		}
	}
	return r
}

// follow makes the calls of one state.
func follow(mesh *judge.Mesh, place *judge.State, i int, s state) report {
	r := report{calls: map[string]int{}}
	var arrivals []generate.Arrival
	probes := s.probes
	if probes == nil {
		probes = generate.Calls(s.after)
	}
	for _, c := range probes {
		verdict := oracle.Call(s.after, c)
		outcome := mesh.Call(place, c)
		if !s.settled() {
			verdict = oracle.Call(s.before, c).Or(verdict)
		}
		r.count(c.Kind, outcome)
		if !verdict.Admits(outcome) {
			r.mismatches = append(r.mismatches, mismatch{i, c.String() + describe(s.after, c.From), verdict, mesh.TraceCall(place, c)})
		}
		if outcome.Hop != nil && len(outcome.Exits) > 0 && c.Kind == "as meant" {
			arrivals = append(arrivals, generate.Arrival{Call: c, Hop: *outcome.Hop})
		}
	}
	for _, c := range generate.Straights(s.after, arrivals) {
		verdict := oracle.Straight(s.after, c)
		if !s.settled() {
			verdict = oracle.Straight(s.before, c).Or(verdict)
		}
		outcome := mesh.Straight(place, c)
		r.count(generate.StraightKind(c.Kind), outcome)
		if !verdict.Admits(outcome) {
			r.mismatches = append(r.mismatches, mismatch{i, c.String(), verdict, mesh.TraceStraight(place, c)})
		}
	}
	for _, why := range place.Invalid() {
		r.mismatches = append(r.mismatches, mismatch{state: i, call: "Envoy refuses what the gateway gets", outcome: scenario.Outcome{Trace: []string{why}}})
	}
	return r
}

func (r *report) count(kind string, o scenario.Outcome) {
	end := "blocked"
	switch {
	case len(o.Exits) > 0 && o.Exits[0].Via != "":
		end = "via gateway"
	case len(o.Exits) > 0:
		end = "direct"
	}
	r.calls[kind+": "+end]++
}

func describe(s scenario.Scenario, workload int) string {
	w := s.Workloads[workload]
	return fmt.Sprintf(" (%s/%s %v sa %s)", w.Namespace, w.Name, w.Labels, w.ServiceAccount)
}

// text returns the policies of a scenario as JSON without what is not set.
func text(s scenario.Scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "registry_only %t, dns_capture %t, aliases %v\n", s.RegistryOnly, s.DNSCapture, s.Aliases)
	for _, p := range s.Policies {
		var fields any
		line, err := json.Marshal(p)
		if err == nil {
			err = json.Unmarshal(line, &fields)
		}
		if err == nil {
			line, err = json.Marshal(compact(fields))
		}
		if err != nil {
			line = []byte(err.Error())
		}
		fmt.Fprintf(&b, "  %s\n", line)
	}
	return b.String()
}

// compact takes out what is null.
func compact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
			} else {
				v[key] = compact(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = compact(v[i])
		}
	}
	return v
}
