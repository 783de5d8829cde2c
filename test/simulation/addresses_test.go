package simulation

import (
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/generate"
	"github.com/meshegress/terraform-provider-istio/test/simulation/judge"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// What the documentation of `addresses` says: the sidecar knows all ports of
// the host by these addresses then. Whoever dials another one, and sends the
// host's name in TLS, passes the dead end where the mesh lets undeclared calls
// out. The virtual address that a TCP host without addresses gets where DNS is
// captured does the same. Without either the name alone decides.
func TestAddressesTieTheNameToThem(t *testing.T) {
	tls := to("tls", "HTTPS", 443, "db.example")
	for name, test := range map[string]struct {
		entries      []policy.To
		registryOnly bool
		capture      bool
		passes       bool
	}{
		"without addresses":               {[]policy.To{tls}, false, false, false},
		"with addresses, ALLOW_ANY":       {[]policy.To{tls, addressed(to("db", "TCP", 5432, "db.example"), "203.0.113.7")}, false, false, true},
		"with addresses, REGISTRY_ONLY":   {[]policy.To{tls, addressed(to("db", "TCP", 5432, "db.example"), "203.0.113.7")}, true, false, false},
		"addresses of another host's TCP": {[]policy.To{tls, addressed(to("db", "TCP", 5432, "h1.example"), "203.0.113.8")}, false, false, false},
		"with a virtual address":          {[]policy.To{tls, to("db", "TCP", 5432, "db.example")}, false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := base(by("p", []policy.From{from("shop", "a")}, test.entries...))
			s.RegistryOnly, s.DNSCapture = test.registryOnly, test.capture
			if why := generate.Invalid(s.Settings, s.Policies[0]); why != "" {
				t.Fatal(why)
			}
			compiled, err := compilePolicies(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			place := &judge.State{Scenario: s, Objects: compiled.settled(s).objects()}
			mesh := judge.New(t, s.Settings, []*judge.State{place})
			for workload, selected := range map[int]bool{0: true, 2: false} {
				for address, tied := range map[string]bool{"203.0.113.7": !test.capture, "203.0.113.99": false} {
					out := mesh.TraceCall(place, scenario.Call{From: workload, Protocol: scenario.TLS, Dial: address, Port: 443, Name: "db.example"})
					direct := len(out.Exits) > 0 && out.Exits[0].Via == ""
					if direct != (test.passes && !tied) {
						t.Errorf("selected %t, to %s: %q", selected, address, out.Trace)
					}
				}
			}
		})
	}
}
