package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// measured is one count of policies.
type measured struct {
	count          int
	provider, core operations
	raw            floors
}

// The figures of a page stand between these lines.
const (
	figuresBegin = "<!-- figures: make bench-docs -->"
	figuresEnd   = "<!-- end of figures -->"
)

// writeDocs puts the figures into a page.
func writeDocs(path string, e executable, runs []measured) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), figuresBegin)
	_, after, ends := strings.Cut(rest, figuresEnd)
	if !begins || !ends {
		return fmt.Errorf("%s: the figures belong between %q and %q", path, figuresBegin, figuresEnd)
	}
	return os.WriteFile(path, []byte(before+figuresBegin+"\n\n"+figures(e, runs)+"\n"+figuresEnd+after), 0o644)
}

// figures are the tables of the page: a column for each count.
func figures(e executable, runs []measured) string {
	var b strings.Builder
	line := func(cells ...string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	row := func(name string, cell func(measured) string) {
		cells := []string{name}
		for _, m := range runs {
			cells = append(cells, cell(m))
		}
		line(cells...)
	}
	row("policies", func(m measured) string { return fmt.Sprint(m.count) })
	row("---", func(measured) string { return "---" })
	row("objects", func(m measured) string { return fmt.Sprint(m.raw.objects) })
	for _, o := range []struct {
		name string
		of   func(operations) cost
		raw  func(floors) time.Duration
	}{
		{"plan of the creation", func(o operations) cost { return o.plan }, func(floors) time.Duration { return 0 }},
		{"apply", func(o operations) cost { return o.apply }, func(f floors) time.Duration { return f.apply }},
		{"plan without changes", func(o operations) cost { return o.noop }, func(f floors) time.Duration { return f.list }},
		{"destroy", func(o operations) cost { return o.destroy }, func(f floors) time.Duration { return f.destroy }},
	} {
		row(o.name, func(m measured) string {
			wall, floor := o.of(m.provider).wall, o.of(m.core).wall+o.raw(m.raw)
			return fmt.Sprintf("%.1f s (%.2f)", wall.Seconds(), wall.Seconds()/floor.Seconds())
		})
	}
	row("requests of a plan without changes", func(m measured) string { return fmt.Sprint(len(m.provider.noop.requests)) })
	row("requests of apply", func(m measured) string { return fmt.Sprint(len(m.provider.apply.requests)) })
	row("memory of the provider, at most", func(m measured) string {
		p := m.provider
		return fmt.Sprintf("%d MB", max(p.plan.provider.peakRSS, p.apply.provider.peakRSS, p.noop.provider.peakRSS, p.destroy.provider.peakRSS)>>20)
	})
	row("state, bytes a policy", func(m measured) string { return fmt.Sprint(m.provider.stateBytes / int64(m.count)) })
	_, _ = fmt.Fprintf(&b, "\nMeasured on %s/%s with %d cores. The provider's executable has %d MB; it takes %d ms to start.\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), e.size>>20, e.startUp.Milliseconds())
	return b.String()
}
