package trafficpolicy

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/protocol/protocoltest"
)

func ptr[T any](v T) *T { return &v }

// example is a valid policy in which every optional attribute is set in some entry.
func example() policy.Policy {
	return policy.Policy{
		Name: "payments",
		ByEgressGateway: &compile.Reference{
			Name: "egressgateway-a", Namespace: "istio-egress", Selector: map[string]string{"istio": "egressgateway-a"},
			MutualTLS: ptr(true), Authorization: ptr("allow_listed"), Revision: ptr("stable"),
		},
		Revision:            ptr("stable"),
		UnselectedWorkloads: policy.Deny,
		EgressRules: []policy.Rule{{
			Name: ptr("checkout"),
			From: []policy.From{{Namespace: "mytest", WorkloadSelector: map[string]string{"app": "sleep-a"}, ServiceAccounts: []string{"sleep-a"}}},
			To: []policy.To{
				{
					Name: "httpbin-http", Hosts: []string{"www.httpbin.org", "httpbin.org"}, Port: policy.Port{Name: "http", Number: 80, Protocol: policy.HTTP},
					ByEgressGateway: &policy.EntryGateway{Port: 80}, HTTPSUpgrade: &policy.HTTPSUpgrade{Enabled: true, Port: 443},
					TLS:     &policy.TLS{Mode: policy.Mutual, CredentialName: ptr("client"), SNI: ptr("httpbin.org"), SubjectAltNames: []string{"httpbin.org"}},
					Timeout: ptr("10s"), Retries: &policy.Retries{Attempts: 2, PerTryTimeout: ptr("2s"), RetryOn: ptr("gateway-error")},
				},
				{Name: "httpbin-https", Hosts: []string{"httpbin.org"}, Port: policy.Port{Name: "https", Number: 443, Protocol: policy.HTTPS}},
				{Name: "shared", Hosts: []string{"a.example.com", "b.example.com"}, Port: policy.Port{Name: "https", Number: 443, Protocol: policy.HTTPS}, ByEgressGateway: &policy.EntryGateway{Port: 10444}},
				{Name: "db", Hosts: []string{"db.partner.example"}, Addresses: []string{"203.0.113.7"}, Port: policy.Port{Name: "tcp", Number: 5432, Protocol: policy.TCP}},
			},
		}},
	}
}

// configOf returns a policy as a configuration: no computed attribute is set.
func configOf(t rapid.TB, p policy.Policy) tftypes.Value {
	t.Helper()
	ctx := context.Background()
	s := testSchema(t)
	state := tfsdk.State{Raw: tftypes.NewValue(s.Type().TerraformType(ctx), nil), Schema: s}
	if diags := setIntent(ctx, &state, p); diags.HasError() {
		t.Fatal(diags)
	}
	return state.Raw
}

// leaves returns the path of every value of a configuration that is not null,
// collections and objects included.
func leaves(t rapid.TB, config tftypes.Value) []*tftypes.AttributePath {
	t.Helper()
	var all []*tftypes.AttributePath
	err := tftypes.Walk(config, func(at *tftypes.AttributePath, value tftypes.Value) (bool, error) {
		if len(at.Steps()) > 0 && !value.IsNull() {
			all = append(all, at)
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func withUnknown(t rapid.TB, config tftypes.Value, at *tftypes.AttributePath) tftypes.Value {
	t.Helper()
	changed, err := tftypes.Transform(config, func(p *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if p.Equal(at) {
			return tftypes.NewValue(value.Type(), tftypes.UnknownValue), nil
		}
		return value, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func failOnErrors(t rapid.TB, diags []*tfprotov6.Diagnostic) {
	t.Helper()
	for _, d := range diags {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			t.Errorf("%s: %s (%s)", d.Summary, d.Detail, d.Attribute)
		}
	}
}

// A configuration plans with any of its values unknown, as a create and as an
// update, and the plan keeps its promises once the value is known.
func TestEveryValueMayBeUnknown(t *testing.T) {
	s := newServer(t, meshKnown)
	config := configOf(t, example())
	prior := appliedState(t, s, config)
	paths := leaves(t, config)
	if len(paths) < 60 {
		t.Fatalf("the example has only %d values", len(paths))
	}
	for _, at := range paths {
		t.Run(at.String(), func(t *testing.T) {
			s := s.In(t)
			unknown := withUnknown(t, config, at)
			failOnErrors(t, s.Validate(unknown))
			for name, before := range map[string]tftypes.Value{"create": s.None(), "update": prior} {
				planned, resp := s.Plan(unknown, before)
				failOnErrors(t, resp.Diagnostics)
				now, resp := s.Plan(config, before)
				failOnErrors(t, resp.Diagnostics)
				if t.Failed() {
					t.Fatal(name)
				}
				for _, text := range broken(name, planned, now) {
					t.Error(text)
				}
				attributes := s.Attributes(planned)
				if attributes["manifests"].IsFullyKnown() {
					t.Errorf("%s: the plan says all of manifests, which hold the whole configuration", name)
				}
				if !attributes["drift"].IsFullyKnown() {
					t.Errorf("%s: drift is unknown", name)
				}
				// What the user wrote is planned as it stands.
				for attribute, value := range s.Attributes(unknown) {
					if !providerAttributes[attribute] && !attributes[attribute].Equal(value) {
						t.Errorf("%s: %s is planned as %s", name, attribute, attributes[attribute])
					}
				}
			}
		})
	}
}

// As long as a fact of the mesh is unknown, no object can be compiled; which
// there are, and who is granted what, does not depend on the mesh.
func TestMeshMayBeUnknown(t *testing.T) {
	final, _ := newServer(t, meshKnown).Plan(configOf(t, example()), newServer(t, meshUnknown).None())
	s := newServer(t, meshUnknown)
	planned, resp := s.Plan(configOf(t, example()), s.None())
	failOnErrors(t, resp.Diagnostics)
	for _, text := range broken("plan", planned, final) {
		t.Error(text)
	}
	attributes := s.Attributes(planned)
	if !attributes["grants"].IsFullyKnown() {
		t.Error("grants are unknown")
	}
	for key, value := range s.Attributes(attributes["manifests"]) {
		if value.IsKnown() {
			t.Errorf("%s is known", key)
		}
	}
}

// The plan of something new knows all keys and all grants; unknown is only
// what contains a port that apply assigns.
func TestPlanOfNewPolicy(t *testing.T) {
	s := newServer(t, meshKnown)
	planned, resp := s.Plan(configOf(t, example()), s.None())
	failOnErrors(t, resp.Diagnostics)
	attributes := s.Attributes(planned)
	if !attributes["grants"].IsFullyKnown() {
		t.Error("grants are unknown")
	}
	ports := s.Attributes(attributes["gateway_ports"])
	for member, known := range map[string]bool{
		"httpbin-http": false, "httpbin-https/httpbin.org": false, "shared": true, "db/db.partner.example": false,
	} {
		if value, ok := ports[member]; !ok || value.IsKnown() != known {
			t.Errorf("gateway_ports[%s] = %s, known should be %t", member, value, known)
		}
	}
	manifests := s.Attributes(attributes["manifests"])
	for key, known := range map[string]bool{
		"Gateway/istio-egress/egressgateway-a:shared":       true,
		"Gateway/istio-egress/egressgateway-a:httpbin-http": false,
		"Service/istio-egress/payments-egw":                 false,
	} {
		if value, ok := manifests[key]; !ok || value.IsKnown() != known {
			t.Errorf("manifests[%s] = %s, known should be %t", key, value, known)
		}
	}
}

// Planning is deterministic: core plans again during apply, and rejects
// another answer.
func TestPlanIsDeterministic(t *testing.T) {
	config := configOf(t, example())
	first, _ := newServer(t, meshKnown).Plan(config, newServer(t, meshUnknown).None())
	second, _ := newServer(t, meshKnown).Plan(config, newServer(t, meshUnknown).None())
	if !first.Equal(second) {
		t.Error("two plans differ")
	}
}

// appliedState returns the state after an apply of a configuration: the plan
// with a port for every slot.
func appliedState(t rapid.TB, s protocoltest.Server, config tftypes.Value) tftypes.Value {
	t.Helper()
	planned, resp := s.Plan(config, s.None())
	failOnErrors(t, resp.Diagnostics)
	attributes := s.Attributes(planned)
	ports := s.Attributes(attributes["gateway_ports"])
	next := 11000
	for member, port := range ports {
		if !port.IsKnown() {
			ports[member] = tftypes.NewValue(tftypes.Number, next)
			next++
		}
	}
	attributes["gateway_ports"] = tftypes.NewValue(attributes["gateway_ports"].Type(), ports)
	// The next plan says what the manifests of these ports are.
	attributes["manifests"] = tftypes.NewValue(attributes["manifests"].Type(), map[string]tftypes.Value{})
	state := tftypes.NewValue(s.Type, attributes)
	planned, resp = s.Plan(config, state)
	failOnErrors(t, resp.Diagnostics)
	if !planned.IsFullyKnown() {
		t.Fatalf("the plan of an applied policy has unknown values: %s", planned)
	}
	return planned
}

// A policy that is as it should be has an empty plan, and its ports stay
// through every edit that leaves their entry and host.
func TestPortsStay(t *testing.T) {
	s := newServer(t, meshKnown)
	applied := appliedState(t, s, configOf(t, example()))
	if planned, _ := s.Plan(configOf(t, example()), applied); !planned.Equal(applied) {
		t.Error("the plan of an unchanged policy is not empty")
	}
	before := s.Attributes(s.Attributes(applied)["gateway_ports"])

	edited := example()
	edited.EgressRules[0].Name = ptr("renamed")
	edited.EgressRules[0].To[1].Hosts = append([]string{"new.example.com"}, edited.EgressRules[0].To[1].Hosts...)
	to := edited.EgressRules[0].To
	to[0], to[1], to[3] = to[3], to[0], to[1]
	edited.EgressRules = append([]policy.Rule{{
		From: []policy.From{{Namespace: "other", ServiceAccounts: []string{"x"}}},
		To:   []policy.To{{Name: "first", Hosts: []string{"first.example.com"}, Port: policy.Port{Name: "https", Number: 443, Protocol: policy.HTTPS}}},
	}}, edited.EgressRules...)

	planned, resp := s.Plan(configOf(t, edited), applied)
	failOnErrors(t, resp.Diagnostics)
	after := s.Attributes(s.Attributes(planned)["gateway_ports"])
	for member, port := range before {
		if !after[member].Equal(port) {
			t.Errorf("port of %s moves from %s to %s", member, port, after[member])
		}
	}
	for _, member := range []string{"first/first.example.com", "httpbin-https/new.example.com"} {
		if after[member].IsKnown() {
			t.Errorf("the plan promises port %s to the new %s", after[member], member)
		}
	}
	if len(after) != len(before)+2 {
		t.Errorf("ports: %v", after)
	}
}

// On another gateway no port is reserved; in another namespace the policy is
// another resource.
func TestAnotherGateway(t *testing.T) {
	s := newServer(t, meshKnown)
	applied := appliedState(t, s, configOf(t, example()))

	moved := example()
	moved.ByEgressGateway.Name, moved.ByEgressGateway.Selector = "egressgateway-b", nil
	planned, resp := s.Plan(configOf(t, moved), applied)
	failOnErrors(t, resp.Diagnostics)
	if len(resp.RequiresReplace) != 0 {
		t.Errorf("another gateway in the namespace replaces the policy: %v", resp.RequiresReplace)
	}
	ports := s.Attributes(s.Attributes(planned)["gateway_ports"])
	if ports["httpbin-http"].IsKnown() {
		t.Errorf("port %s of the old gateway is promised on the new one", ports["httpbin-http"])
	}

	moved.ByEgressGateway.Namespace = "istio-egress-b"
	// Another run: in this one the policy is planned to be on the gateway above.
	s = newServer(t, meshKnown)
	_, resp = s.Plan(configOf(t, moved), applied)
	failOnErrors(t, resp.Diagnostics)
	if len(resp.RequiresReplace) == 0 {
		t.Error("another namespace does not replace the policy")
	}
}
