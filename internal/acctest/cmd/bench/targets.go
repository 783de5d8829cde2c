package main

import (
	"fmt"
	"time"
)

// Targets: what the provider may cost, as a multiple of the floors or of others.
const (
	targetNoop       = 1.5
	targetWrites     = 1.3
	targetFaster     = 3
	targetMemory     = 150 << 20
	targetStateBytes = 3 << 10
	targetStart      = 60 * time.Millisecond
	targetGrowth     = 1.15
	targetWAN        = 2
)

// targets is a table: each target, what was measured, and whether that is enough.
func (r results) targets() string {
	t := table{}
	t.add("target", "measured", "")
	t.rule(3)
	judge := func(met bool, target, measured string) {
		verdict := "met"
		if !met {
			verdict = "**not met**"
		}
		t.add(target, measured, verdict)
	}
	last := r.runs[len(r.runs)-1]
	for _, c := range []struct {
		operation operation
		most      float64
	}{{noop, targetNoop}, {applying, targetWrites}, {destroying, targetWrites}} {
		if ratio, ok := last.ratio(c.operation); ok {
			judge(ratio <= c.most, fmt.Sprintf("%s: at most %g times `%s` and `%s`", c.operation, c.most, terraformCore, rawLoop),
				fmt.Sprintf("%.2f at %d policies", ratio, last.count))
		}
	}
	r.judgePeer(judge)
	own := last.rows[ourPolicies]
	judge(own.peak() < targetMemory, fmt.Sprintf("provider's memory below %s", megabytes(targetMemory)),
		fmt.Sprintf("%s at %d policies", megabytes(own.peak()), last.count))
	perPolicy := own.stateBytes / int64(last.count)
	judge(perPolicy <= targetStateBytes, fmt.Sprintf("at most %d bytes of state a policy", targetStateBytes), fmt.Sprint(perPolicy))
	judge(r.executable.startUp < targetStart, fmt.Sprintf("schema ready in %d ms", targetStart.Milliseconds()),
		fmt.Sprintf("%d ms, the middle of %d starts", r.executable.startUp.Milliseconds(), starts))
	// A run with any has ended by now.
	judge(own.discovery() == 0, "no discovery requests", fmt.Sprint(own.discovery()))
	r.judgeGrowth(judge)
	if r.wan != nil {
		ratio := r.wan.costs[applying].wall.Seconds() / r.wan.minimum().Seconds()
		judge(ratio <= targetWAN, fmt.Sprintf("apply over round trips of %d ms: at most %d times the least time", roundTrip.Milliseconds(), targetWAN),
			fmt.Sprintf("%.2f at %d policies", ratio, r.wan.count))
	}
	return t.String()
}

// judgePeer compares with the provider of manifests, at the greatest number of policies that it was run with.
func (r results) judgePeer(judge func(met bool, target, measured string)) {
	var m *measured
	for i := range r.runs {
		if r.runs[i].has(kubectlManifest) {
			m = &r.runs[i]
		}
	}
	if m == nil {
		return
	}
	for _, o := range operations {
		if times, ok := m.faster(kubectlManifest, o); ok {
			judge(times >= targetFaster, fmt.Sprintf("%s: at least %d times faster than `%s`", o, targetFaster, kubectlManifest),
				fmt.Sprintf("%.1f at %d policies", times, m.count))
		}
	}
}

// judgeGrowth compares what a policy costs in the last two counts.
func (r results) judgeGrowth(judge func(met bool, target, measured string)) {
	if len(r.runs) < 2 {
		return
	}
	few, many := r.runs[len(r.runs)-2], r.runs[len(r.runs)-1]
	perPolicy := func(of func(measured) float64) float64 {
		return of(many) / float64(many.count) / (of(few) / float64(few.count))
	}
	for _, o := range []operation{applying, noop, destroying} {
		cpu := perPolicy(func(m measured) float64 { return m.rows[ourPolicies].costs[o].provider.cpu.Seconds() })
		wall := perPolicy(func(m measured) float64 { return m.rows[ourPolicies].costs[o].wall.Seconds() })
		text := fmt.Sprintf("%.2f times the processor time of the provider; of the clock %.2f", cpu, wall)
		if few.has(terraformCore) && many.has(terraformCore) {
			core := perPolicy(func(m measured) float64 { return m.rows[terraformCore].costs[o].wall.Seconds() })
			text += fmt.Sprintf(", of `%s` %.2f", terraformCore, core)
		}
		judge(cpu <= targetGrowth, fmt.Sprintf("%s: from %d to %d policies, one costs at most %g times as much", o, few.count, many.count, targetGrowth), text)
	}
}
