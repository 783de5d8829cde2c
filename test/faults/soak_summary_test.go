package faults

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

// soakTally counts what a soak has done.
type soakTally struct {
	// done and failed are applies by what they were to do, met the faults that
	// requests ran into, drift what was done behind the provider's back.
	done, failed, met, drift map[string]int
	// lost are the applies whose state was never saved.
	lost int
	// requests are all that went through the proxies.
	requests int
}

func newSoakTally() soakTally {
	return soakTally{done: map[string]int{}, failed: map[string]int{}, met: map[string]int{}, drift: map[string]int{}}
}

// doingOf is what an apply of a configuration is about to do.
func doingOf(ws *core.Workspace, wanted core.Object) string {
	switch {
	case wanted == nil && ws.Exists:
		return "destroy"
	case wanted == nil:
		return "nothing to destroy"
	case !ws.Exists:
		return "create"
	case ws.Tainted:
		return "replace after a failed create"
	}
	return "update, repair, or nothing to do"
}

func (s *soakTally) applied(doing string, failed bool) {
	s.done[doing]++
	if failed {
		s.failed[doing]++
	}
}

// faults counts those of a journal, and returns their names.
func (s *soakTally) faults(journal []proxy.Request) []string {
	var names []string
	for _, request := range journal {
		s.requests++
		if request.Fault != "" {
			s.met[request.Fault]++
			names = append(names, request.Fault+" at "+request.String())
		}
	}
	return names
}

func (s *soakTally) add(other soakTally) {
	for into, from := range map[*map[string]int]map[string]int{&s.done: other.done, &s.failed: other.failed, &s.met: other.met, &s.drift: other.drift} {
		for name, n := range from {
			(*into)[name] += n
		}
	}
	s.lost += other.lost
	s.requests += other.requests
}

func total(counts map[string]int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// write reports the soak, into a file if one was asked for.
func (s *soakTally) write(t *testing.T, objects int) {
	t.Helper()
	var table strings.Builder
	table.WriteString("| apply that was to | times | of these ended with an error |\n|---|---|---|\n")
	for _, doing := range slices.Sorted(maps.Keys(s.done)) {
		fmt.Fprintf(&table, "| %s | %d | %d |\n", doing, s.done[doing], s.failed[doing])
	}
	fmt.Fprintf(&table, "| all | %d | %d |\n", total(s.done), total(s.failed))
	table.WriteString("\n| fault | requests that met it |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(s.met)) {
		fmt.Fprintf(&table, "| %s | %d |\n", name, s.met[name])
	}
	fmt.Fprintf(&table, "| all, of %d requests | %d |\n", s.requests, total(s.met))
	table.WriteString("\n| behind the provider's back | times |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(s.drift)) {
		fmt.Fprintf(&table, "| %s | %d |\n", name, s.drift[name])
	}
	fmt.Fprintf(&table, "| state of an apply lost, as by SIGKILL | %d |\n", s.lost)
	verdict := "0 failures"
	if t.Failed() {
		verdict = "**failed**"
	}
	text := fmt.Sprintf(soakHead, soak.Round(time.Second), runtime.GOMAXPROCS(0), verdict, soakWorkspaces, soakPolicies, objects, table.String())
	t.Log(text)
	if *summary == "" {
		return
	}
	if err := os.WriteFile(*summary, []byte(text), 0o644); err != nil {
		t.Error(err)
	}
}

const soakHead = `# A soak

%s on %d cores, %s. Written by ` + "`make soak`" + `.

%d workspaces of %d policies each, on one gateway, at the same time: random creates, edits and destroys, while objects are
deleted and edited behind their backs and requests go wrong. In the end each workspace applies once without faults; then
every plan is empty, the %d live objects are exactly those that the states name, no route stands without its guard, a
destroy leaves nothing, and nothing of anybody else was touched.

%s`
