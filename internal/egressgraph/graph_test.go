package egressgraph

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Each picture of testdata/<case>.grants, one line per grant; a line that begins
// with a question mark is in doubt.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.grants")
	if err != nil || len(cases) == 0 {
		t.Fatal(err, "no cases")
	}
	for _, path := range cases {
		var grants []Grant
		for line := range strings.Lines(read(t, path)) {
			line, doubtful := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "? ")
			g, err := policy.ParseGrant(line)
			if err != nil {
				t.Fatal(err)
			}
			grants = append(grants, Grant{Grant: g, Doubtful: doubtful})
		}
		graph := New(grants)
		for extension, got := range map[string]string{".mmd": graph.Mermaid(), ".dot": graph.DOT()} {
			golden := strings.TrimSuffix(path, ".grants") + extension
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(read(t, golden), got); diff != "" {
				t.Errorf("%s: %s", golden, diff)
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func random(t *rapid.T) []Grant {
	var grants []Grant
	for range rapid.IntRange(1, 3).Draw(t, "policies") {
		for _, g := range policy.EntryGrants(policytest.Policy(t)) {
			grants = append(grants, Grant{Grant: g.Grant, Doubtful: rapid.Bool().Draw(t, "doubtful")})
		}
	}
	return grants
}

// fact is what a picture says of a grant.
type fact struct{ from, checks, called, to string }

// Every path from a workload to a host is a grant, and every grant is a path.
func TestPathsAreGrants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grants := random(t)
		want := map[fact]bool{}
		for _, g := range grants {
			f := fact{from: g.Namespace + " " + labelsOf(g.Grant), checks: g.Checks(), called: service(g.Grant), to: destination(g.Grant)}
			if g.Gateway != nil {
				f.called = g.Gateway.String() + " " + called(g.Grant)
			}
			want[f] = true
		}
		if diff := cmp.Diff(want, paths(New(grants)), cmp.AllowUnexported(fact{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func paths(g *Graph) map[fact]bool {
	titles := map[*node]string{}
	for _, box := range slices.Concat(g.namespaces, g.gateways) {
		for _, n := range box.nodes {
			titles[n] = box.title
		}
	}
	isLane := func(n *node) bool { return strings.HasPrefix(n.id, "l") }
	found := map[fact]bool{}
	for _, e := range g.edges {
		switch {
		case isLane(e.from):
		case !isLane(e.to):
			found[fact{from: titles[e.from] + " " + e.from.text, called: e.text, to: e.to.text}] = true
		default:
			for _, on := range g.edges {
				if on.from == e.to {
					found[fact{from: titles[e.from] + " " + e.from.text, checks: e.text, called: titles[e.to] + " " + e.to.text, to: on.to.text}] = true
				}
			}
		}
	}
	return found
}

// Order and repetition of the grants do not show.
func TestPictureIsOfTheSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grants := random(t)
		shuffled := append(slices.Clone(rapid.Permutation(grants).Draw(t, "order")), grants[0])
		a, b := New(grants), New(shuffled)
		if a.Mermaid() != b.Mermaid() || a.DOT() != b.DOT() {
			t.Fatal(cmp.Diff(a.Mermaid(), b.Mermaid()))
		}
	})
}

// mermaidLine is every line that a picture may have. Texts are what stands
// between double quotes, and have nothing in them that means anything.
var mermaidLine = regexp.MustCompile(`^(flowchart LR` +
	`|  subgraph [ng]\d+\["` + mermaidPlain + `"\]` +
	`|    [wl]\d+\["` + mermaidPlain + `"\]` +
	`|  end` +
	`|  h\d+\(\["` + mermaidPlain + `"\]\)` +
	`|  [wl]\d+ -\.?->(\|"` + mermaidPlain + `"\|)? [lh]\d+` +
	`|  linkStyle \d+(,\d+)* stroke:#cf222e)$`)

const mermaidPlain = `([a-zA-Z0-9 .,:/=()-]|#\d+;)*`

var dotLine = regexp.MustCompile(`^(digraph egress \{|  (graph|node|edge) \[.*\]` +
	`|  subgraph cluster_[ng]\d+ \{|    label=` + dotQuoted + `; style="rounded,filled"; color="#d0d7de"; fillcolor="#[0-9a-f]{6}"` +
	`|    [wl]\d+ \[label=` + dotQuoted + `\]|  h\d+ \[label=` + dotQuoted + `, shape=ellipse, style=filled, fillcolor="#dafbe1"\]` +
	`|  \}|\}|  [wl]\d+ -> [lh]\d+( \[.*\])?)$`)

const dotQuoted = `"(\\\\|\\"|\\n|[^"\\])*"`

// Whatever the texts are, lines keep their form: nothing gets out of its quotes.
func TestTextsStayTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string {
			return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
				`"`, `\"`, `\`, `"]; end`, "*.example.com", "`x`", "_a_", "1. a", "<b>", "#quot;", "a\nb", "end", "]--|x|", "%%", "é\u202e",
			})).Draw(t, label)
		}
		var grants []Grant
		for range rapid.IntRange(1, 4).Draw(t, "grants") {
			g := policy.Grant{
				Namespace: text("namespace"), WorkloadSelector: map[string]string{text("key"): text("value")}, ServiceAccounts: []string{text("account")},
				Host: text("host"), Port: 80, Protocol: text("protocol"), ResolveTo: text("resolve"),
			}
			if rapid.Bool().Draw(t, "gateway") {
				g.Gateway = &policy.GatewayID{Namespace: text("gateway namespace"), Name: text("gateway name")}
			}
			grants = append(grants, Grant{Grant: g, Doubtful: rapid.Bool().Draw(t, "doubtful")})
		}
		graph := New(grants)
		for pattern, text := range map[*regexp.Regexp]string{mermaidLine: graph.Mermaid(), dotLine: graph.DOT()} {
			for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
				if !pattern.MatchString(line) {
					t.Fatalf("this line has another form: %q", line)
				}
			}
		}
	})
}
