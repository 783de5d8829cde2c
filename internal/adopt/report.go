package adopt

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// Effect is what a finding means for those who call.
type Effect string

// The effects, the gravest first.
const (
	// LeftOut is a way out, or a setting of one, that no policy has.
	LeftOut Effect = "left out"
	// Changed is a way out that a policy has, and that acts differently.
	Changed Effect = "changed"
	// Fails is a way that is written and that no call gets through today. No
	// policy has it.
	Fails Effect = "fails"
	// Stays is an object that no policy takes the place of: it goes on acting.
	Stays Effect = "stays"
)

// Effects in the order in which they are worth reading.
func Effects() []Effect { return []Effect{LeftOut, Changed, Fails, Stays} }

// Finding is one thing about the objects that the policies do not say, or say
// in another way.
type Finding struct {
	Effect Effect
	// Object is "Kind namespace/name", Path leads to the field in it.
	Object, Path string
	// Line of the field in the text that was read, 0 if it came from a cluster.
	Line int
	Text string
}

// String returns the finding without its effect.
func (f Finding) String() string {
	at := f.Object
	if f.Path != "" {
		at += ", " + f.Path
	}
	if f.Line > 0 {
		at += fmt.Sprintf(" (line %d)", f.Line)
	}
	return at + ": " + f.Text
}

// report collects findings, each once.
type report struct {
	seen     map[Finding]bool
	findings []Finding
}

func (r *report) add(effect Effect, o *object, at fields.Field, format string, args ...any) {
	r.put(o.finding(effect, fields.Problem{Path: at.Path, Line: at.Line(), Text: fmt.Sprintf(format, args...)}))
}

func (r *report) put(f Finding) {
	if r.seen == nil {
		r.seen = map[Finding]bool{}
	}
	if !r.seen[f] {
		r.seen[f] = true
		r.findings = append(r.findings, f)
	}
}

// sorted returns the findings by effect, object and place.
func (r *report) sorted() []Finding {
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Effects(), a.Effect), slices.Index(Effects(), b.Effect)),
			cmp.Compare(a.Object, b.Object), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text, b.Text),
		)
	})
	return r.findings
}

// LeftOut reports whether something is not in the policies.
func (r Result) LeftOut() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Effect == LeftOut })
}
