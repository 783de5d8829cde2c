package simulation

import (
	"path/filepath"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/generate"
)

// updates are those in the middle of which parts of both versions, together,
// would allow what neither does, were all objects just written in the order of
// a create.
var updates = map[string]struct {
	registryOnly  bool
	before, after policy.Policy
}{
	"labels narrower, service accounts wider": {
		before: by("p", []policy.From{from("shop", "", "b")}, to("web", "HTTPS", 443, "h1.example")),
		after:  by("p", []policy.From{from("shop", "b")}, to("web", "HTTPS", 443, "h1.example")),
	},
	"other service accounts, another way out": {
		before: by("p", []policy.From{from("shop", "", "b")}, to("web", "HTTP", 80, "h1.example")),
		after:  by("p", []policy.From{from("shop", "", "a")}, upgraded(to("web", "HTTP", 80, "h1.example"), 443)),
	},
	"more service accounts, another way out": {
		before: by("p", []policy.From{from("shop", "", "b")}, to("web", "HTTP", 80, "h1.example")),
		after:  by("p", []policy.From{from("shop", "", "a", "b")}, upgraded(to("web", "HTTP", 80, "h1.example"), 443)),
	},
	"other labels, another way out": {
		before: by("p", []policy.From{from("shop", "a")}, to("web", "HTTP", 80, "h1.example")),
		after:  by("p", []policy.From{from("shop", "b")}, upgraded(to("web", "HTTP", 80, "h1.example"), 443)),
	},
	"two entries change ports on the gateway": {
		before: by("p", []policy.From{from("shop", "")}, at(to("one", "TCP", 5432, "203.0.113.5"), 12000), at(to("two", "TCP", 5432, "203.0.113.6"), 12001)),
		after:  by("p", []policy.From{from("shop", "")}, at(to("one", "TCP", 5432, "203.0.113.5"), 12001), at(to("two", "TCP", 5432, "203.0.113.6"), 12000)),
	},
	"another host on the port of the gateway": {
		before: by("p", []policy.From{from("shop", "")}, at(to("db", "TCP", 5432, "203.0.113.5"), 12000)),
		after:  by("p", []policy.From{from("shop", "")}, at(to("db", "TCP", 5432, "203.0.113.6"), 12000)),
	},
	"a port less, where everybody may go directly": {
		registryOnly: true,
		before:       unselectedDirect(by("p", []policy.From{from("shop", "a")}, to("web", "HTTP", 80, "h1.example"), to("tls", "HTTPS", 443, "h1.example"))),
		after:        unselectedDirect(by("p", []policy.From{from("shop", "a")}, to("tls", "HTTPS", 443, "h1.example"))),
	},
	"a port for another, where everybody may go directly": {
		registryOnly: true,
		before:       unselectedDirect(by("p", []policy.From{from("shop", "a")}, to("web", "HTTP", 80, "h1.example"))),
		after:        unselectedDirect(by("p", []policy.From{from("shop", "a")}, to("web", "HTTP", 8080, "h1.example"))),
	},
	"other labels, and nobody directly any more": {
		before: unselectedDirect(by("p", []policy.From{from("shop", "a")}, to("tls", "HTTPS", 443, "h1.example"))),
		after:  by("p", []policy.From{from("shop", "b")}, to("tls", "HTTPS", 443, "h1.example")),
	},
	"another protocol, where everybody may go directly": {
		before: unselectedDirect(by("p", []policy.From{from("shop", "a")}, addressed(to("db", "TCP", 443, "db.example"), "203.0.113.7"))),
		after:  unselectedDirect(by("p", []policy.From{from("shop", "a")}, to("db", "HTTPS", 443, "db.example"))),
	},
}

// harmless are updates that need nothing first: each is one write per object.
var harmless = map[string]struct{ before, after policy.Policy }{
	"other labels": {
		before: by("p", []policy.From{from("shop", "a")}, to("web", "HTTP", 80, "h1.example")),
		after:  by("p", []policy.From{from("shop", "b")}, to("web", "HTTP", 80, "h1.example")),
	},
	"other service accounts": {
		before: by("p", []policy.From{from("shop", "", "a")}, to("web", "HTTP", 80, "h1.example")),
		after:  by("p", []policy.From{from("shop", "", "b")}, to("web", "HTTP", 80, "h1.example")),
	},
	"an entry more, an entry less": {
		before: by("p", []policy.From{from("shop", "a")}, to("web", "HTTP", 80, "h1.example"), to("old", "HTTPS", 443, "h2.example")),
		after:  by("p", []policy.From{from("shop", "a")}, to("web", "HTTP", 80, "h1.example", "h3.example"), to("new", "TCP", 5432, "203.0.113.7")),
	},
	"upgraded to another port, which others pass through": {
		before: by("p", []policy.From{from("shop", "a")}, upgraded(to("web", "HTTP", 80, "h1.example"), 443), to("tls", "HTTPS", 443, "h1.example"), to("alt", "HTTPS", 8443, "h1.example")),
		after:  by("p", []policy.From{from("shop", "a")}, upgraded(to("web", "HTTP", 80, "h1.example"), 8443), to("tls", "HTTPS", 443, "h1.example"), to("alt", "HTTPS", 8443, "h1.example")),
	},
}

func update(before, after policy.Policy, registryOnly bool) testCase {
	c := testCase{Order: 1, Operation: opUpdate, Scenario: base(before), Edited: generate.Edited{Policy: after, OK: true}}
	c.Scenario.RegistryOnly = registryOnly
	return c
}

func TestUpdates(t *testing.T) {
	for name, u := range updates {
		t.Run(name, func(t *testing.T) {
			c := update(u.before, u.after, u.registryOnly)
			mustHold(t, c)
			c.broken.careless = true
			if found, err := alone(t, c); err != nil || len(found) == 0 {
				t.Errorf("what is written first makes no difference: %v", err)
			}
		})
	}
	for name, u := range harmless {
		t.Run(name, func(t *testing.T) {
			c := update(u.before, u.after, false)
			mustHold(t, c)
			compiled, err := compilePolicies(c.Scenario, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := state{before: c.Scenario, after: c.Scenario.With(u.after)}
			first, _, err := c.transition(s, compilation{}, compiled.ports, 0)
			if err != nil || len(first) > 0 {
				t.Errorf("%v; needs nothing first, and gets %v", err, first)
			}
		})
	}
}

func mustHold(t *testing.T, c testCase) {
	t.Helper()
	found, err := alone(t, c)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found {
		t.Errorf("%s", m)
	}
}

// The kept updates, too, fail when nothing is written first.
func TestRegressionsOfUpdates(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(regressions, "update-*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, file := range files {
		once := load(t, file)
		once.broken.careless = true
		if found, err := alone(t, once.testCase); err != nil || len(found) == 0 {
			t.Errorf("%s: %v, no mismatch", file, err)
		}
	}
}
