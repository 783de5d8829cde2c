package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results are those of a whole run.
type results struct {
	executable executable
	runs       []measured
	wan        *wan // nil if it was not chosen
}

// text is the report in Markdown. A full one has the processor time, memory and requests of every operation, others
// those of some.
func (r results) text(full bool) string {
	var b strings.Builder
	b.WriteString("\n### Targets\n\nThey are for 1000 policies: of ten, most of the time is that of starting processes.\n\n" + r.targets())
	for _, m := range r.runs {
		b.WriteString("\n" + m.times())
	}
	for _, m := range r.runs {
		b.WriteString("\n" + m.resources(full))
	}
	if r.wan != nil {
		b.WriteString("\n" + r.wan.text(r.local(r.wan.count), full))
	}
	_, _ = fmt.Fprintf(&b, "\nMeasured on %s/%s with %d cores. The provider's executable has %d MB. Rows:\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), r.executable.size>>20)
	_, _ = fmt.Fprintf(&b, "- `%s`: this provider\n", ourPolicies)
	for _, s := range subjects {
		var most int
		for _, m := range r.runs {
			if m.has(s.name) {
				most = m.count
			}
		}
		switch {
		case most == 0:
		case most == r.runs[len(r.runs)-1].count:
			_, _ = fmt.Fprintf(&b, "- `%s`: %s\n", s.name, s.about)
		default:
			_, _ = fmt.Fprintf(&b, "- `%s`: %s; with at most %d policies here\n", s.name, s.about, most)
		}
	}
	return b.String()
}

// local is what the provider costs without a long way.
func (r results) local(count int) life {
	for _, m := range r.runs {
		if m.count == count {
			return m.rows[ourPolicies]
		}
	}
	return life{}
}

func (m measured) has(row string) bool {
	_, ok := m.rows[row]
	return ok
}

// floor is what an operation costs without the provider: core's and the API's time.
func (m measured) floor(o operation) (time.Duration, bool) {
	if !m.has(terraformCore) || !m.has(rawLoop) {
		return 0, false
	}
	return m.rows[terraformCore].costs[o].wall + m.rows[rawLoop].costs[o].wall, true
}

// ratio is the provider's time as a multiple of the floor.
func (m measured) ratio(o operation) (float64, bool) {
	floor, ok := m.floor(o)
	if !ok || floor == 0 {
		return 0, false
	}
	return m.rows[ourPolicies].costs[o].wall.Seconds() / floor.Seconds(), true
}

// faster is how many times the provider is faster than another row.
func (m measured) faster(row string, o operation) (float64, bool) {
	theirs, ok := m.rows[row].costs[o]
	own := m.rows[ourPolicies].costs[o].wall
	if !ok || own == 0 {
		return 0, false
	}
	return theirs.wall.Seconds() / own.Seconds(), true
}

// times is a table of seconds: a row for each operation, a column for each subject.
func (m measured) times() string {
	t := table{}
	head := []string{fmt.Sprintf("%d policies, %d objects", m.count, m.objects), "`" + ourPolicies + "`", "`" + terraformCore + "`", "`" + rawLoop + "`", "ratio"}
	var others []string
	for _, s := range subjects {
		if s.name != terraformCore && s.name != rawLoop && m.has(s.name) {
			others = append(others, s.name)
			head = append(head, "`"+s.name+"`")
		}
	}
	t.add(head...)
	t.rule(len(head))
	for _, o := range operations {
		cells := []string{string(o), m.seconds(ourPolicies, o), m.seconds(terraformCore, o), m.seconds(rawLoop, o), "-"}
		if ratio, ok := m.ratio(o); ok {
			cells[4] = fmt.Sprintf("%.2f", ratio)
		}
		for _, name := range others {
			cell := m.seconds(name, o)
			if times, ok := m.faster(name, o); ok {
				cell += fmt.Sprintf(" (%.1f x)", times)
			}
			cells = append(cells, cell)
		}
		t.add(cells...)
	}
	return t.String()
}

func (m measured) seconds(row string, o operation) string {
	c, ok := m.rows[row].costs[o]
	switch {
	case !ok:
		return "-"
	case c.surprise:
		return fmt.Sprintf("%.2f s, shows changes", c.wall.Seconds())
	}
	return fmt.Sprintf("%.2f s", c.wall.Seconds())
}

// resources is a table of processor time, memory and requests.
func (m measured) resources(full bool) string {
	t := table{}
	t.add(fmt.Sprintf("%d policies", m.count), "operation", "CPU of CLI", "of provider", "memory of CLI", "of provider", "requests", "by verb")
	t.rule(8)
	names := []string{ourPolicies}
	for _, s := range subjects {
		names = append(names, s.name)
	}
	for _, name := range names {
		for _, o := range operations {
			c, ok := m.rows[name].costs[o]
			if !ok || name == rawLoop || !full && !slices.Contains([]operation{applying, noop, destroying}, o) {
				continue
			}
			cells := []string{"`" + name + "`", string(o), fmt.Sprintf("%.2f s", c.cli.cpu.Seconds()), "-", megabytes(c.cli.peakRSS), "-", "-", "-"}
			if c.provider != (usage{}) {
				cells[3], cells[5] = fmt.Sprintf("%.2f s", c.provider.cpu.Seconds()), megabytes(c.provider.peakRSS)
			}
			if len(c.requests) > 0 {
				cells[6], cells[7] = fmt.Sprint(len(c.requests)), verbs(c)
			}
			t.add(cells...)
		}
	}
	return t.String()
}

func megabytes(bytes int64) string { return fmt.Sprintf("%d MB", bytes>>20) }

// verbs counts requests by verb, those of discovery apart.
func verbs(c cost) string {
	counts := map[string]int{}
	for _, r := range c.requests {
		verb := r.Verb
		if isDiscovery(r) {
			verb = "discovery"
		}
		counts[verb]++
	}
	var parts []string
	for verb := range counts {
		parts = append(parts, verb)
	}
	slices.SortFunc(parts, func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	for i, verb := range parts {
		parts[i] = fmt.Sprintf("%d %s", counts[verb], verb)
	}
	return strings.Join(parts, ", ")
}

// text is the table of the long way, beside the same without it. A full one has the
// requests of one policy alone, and when they came in.
func (w wan) text(local life, full bool) string {
	t := table{}
	t.add(fmt.Sprintf("%d policies, round trips of %d ms", w.count, roundTrip.Milliseconds()), "far", "near", "at least", "ratio", "raw, in order", "ratio", "requests")
	t.rule(8)
	for _, o := range operations {
		c := w.costs[o]
		least, ratio, floor, ratioOfFloor := "-", "-", "-", "-"
		if o == applying {
			least = fmt.Sprintf("%.2f s", w.minimum().Seconds())
			ratio = fmt.Sprintf("%.2f", c.wall.Seconds()/w.minimum().Seconds())
			floor = fmt.Sprintf("%.2f s", w.floor.Seconds())
			ratioOfFloor = fmt.Sprintf("%.2f", c.wall.Seconds()/w.floor.Seconds())
		}
		t.add(string(o), fmt.Sprintf("%.2f s", c.wall.Seconds()), fmt.Sprintf("%.2f s", local.costs[o].wall.Seconds()), least, ratio, floor, ratioOfFloor, fmt.Sprint(len(c.requests)))
	}
	_, _ = fmt.Fprintf(&t, "\nThe least time of an apply is %d round trips, one after the other: %d stages of writes for each of %d policies, %d of which are walked at once, and %d until the first write. What the API server needs for the writes is not in it; it is in *raw, in order*: client-go applies the same objects over the same way, stage after stage, as many policies at once. One policy alone took %d rounds of requests, the handshakes not counted.\n",
		w.rounds(), w.stages, w.count, walkers, startRounds, inTurn(w.alone))
	if full {
		t.WriteString("\nThese are:\n\n")
		for _, r := range w.alone {
			_, _ = fmt.Fprintf(&t, "    %5d ms %s %s %s\n", r.Time.Sub(w.alone[0].Time).Milliseconds(), r.Verb, r.Resource, strings.TrimPrefix(r.Namespace+"/"+r.Name, "/"))
		}
	}
	return t.String()
}

// table is one in Markdown.
type table struct{ strings.Builder }

func (t *table) add(cells ...string) { t.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

// rule ends the head.
func (t *table) rule(columns int) { t.add(slices.Repeat([]string{"---"}, columns)...) }
