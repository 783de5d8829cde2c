package trafficpolicy

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// errorPaths returns the attributes at which diagnostics report errors.
func errorPaths(diags []*tfprotov6.Diagnostic) []string {
	var paths []string
	for _, d := range diags {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			paths = append(paths, pathOf(d.Attribute))
		}
	}
	return paths
}

// pathOf writes a path as egress_rules.0.to.1.hosts.
func pathOf(at *tftypes.AttributePath) string {
	if at == nil {
		return ""
	}
	var steps []string
	for _, step := range at.Steps() {
		text := strings.NewReplacer("ElementKeyInt(", "", "ElementKeyString(", "", "AttributeName(", "", `"`, "", ")", "").
			Replace(tftypes.NewAttributePathWithSteps([]tftypes.AttributePathStep{step}).String())
		steps = append(steps, text)
	}
	return strings.Join(steps, ".")
}

// Bad input is an error of the plan, at the attribute that is wrong.
func TestBadInput(t *testing.T) {
	const to = "egress_rules.0.to.0."
	// The example's first entry is HTTP, the second HTTPS, the fourth TCP.
	cases := map[string]struct {
		change func(p *policy.Policy)
		at     string
	}{
		"name of the policy":        {func(p *policy.Policy) { p.Name = "Payments!" }, "name"},
		"name of the gateway":       {func(p *policy.Policy) { p.ByEgressGateway.Name = "a.b" }, "by_egress_gateway.name"},
		"gateway in root namespace": {func(p *policy.Policy) { p.ByEgressGateway.Namespace = "istio-system" }, "by_egress_gateway.namespace"},
		"authorization":             {func(p *policy.Policy) { p.ByEgressGateway.Authorization = ptr("some") }, "by_egress_gateway.authorization"},
		"unselected workloads":      {func(p *policy.Policy) { p.UnselectedWorkloads = "allow" }, "unselected_workloads"},
		"no rules":                  {func(p *policy.Policy) { p.EgressRules = []policy.Rule{} }, "egress_rules"},
		"no sources":                {func(p *policy.Policy) { p.EgressRules[0].From = []policy.From{} }, "egress_rules.0.from"},
		"source is gateway's":       {func(p *policy.Policy) { p.EgressRules[0].From[0].Namespace = "istio-egress" }, "egress_rules.0.from.0.namespace"},
		"label key":                 {func(p *policy.Policy) { p.EgressRules[0].From[0].WorkloadSelector = map[string]string{"a b": "c"} }, "egress_rules.0.from.0.workload_selector.a b"},
		"no workloads": {func(p *policy.Policy) {
			p.EgressRules[0].From[0].WorkloadSelector, p.EgressRules[0].From[0].ServiceAccounts = nil, nil
		}, "egress_rules.0.from.0"},
		"empty service accounts":    {func(p *policy.Policy) { p.EgressRules[0].From[0].ServiceAccounts = []string{} }, "egress_rules.0.from.0.service_accounts"},
		"service account":           {func(p *policy.Policy) { p.EgressRules[0].From[0].ServiceAccounts = []string{"a/b"} }, "egress_rules.0.from.0.service_accounts.0"},
		"duplicate entry":           {func(p *policy.Policy) { p.EgressRules[0].To[1].Name = "httpbin-http" }, "egress_rules.0.to.1.name"},
		"duplicate host":            {func(p *policy.Policy) { p.EgressRules[0].To[0].Hosts[1] = "www.httpbin.org" }, to + "hosts.1"},
		"no hosts":                  {func(p *policy.Policy) { p.EgressRules[0].To[0].Hosts = []string{} }, to + "hosts"},
		"DNS name":                  {func(p *policy.Policy) { p.EgressRules[0].To[0].Hosts[0] = "http://x" }, to + "hosts.0"},
		"IP address for HTTP":       {func(p *policy.Policy) { p.EgressRules[0].To[0].Hosts[0] = "1.1.1.1" }, to + "hosts.0"},
		"wildcard":                  {func(p *policy.Policy) { p.EgressRules[0].To[1].Hosts[0] = "*.example.com" }, "egress_rules.0.to.1.hosts.0"},
		"address":                   {func(p *policy.Policy) { p.EgressRules[0].To[3].Addresses = []string{"203.0.113"} }, "egress_rules.0.to.3.addresses.0"},
		"port too high":             {func(p *policy.Policy) { p.EgressRules[0].To[0].Port.Number = 65536 }, to + "port.number"},
		"port too low":              {func(p *policy.Policy) { p.EgressRules[0].To[0].Port.Number = 0 }, to + "port.number"},
		"port name":                 {func(p *policy.Policy) { p.EgressRules[0].To[0].Port.Name = "HTTP" }, to + "port.name"},
		"protocol":                  {func(p *policy.Policy) { p.EgressRules[0].To[1].Port.Protocol = "UDP" }, "egress_rules.0.to.1.port.protocol"},
		"reserved port":             {func(p *policy.Policy) { p.EgressRules[0].To[0].ByEgressGateway.Port = 15001 }, to + "by_egress_gateway.port"},
		"gateway port out of range": {func(p *policy.Policy) { p.EgressRules[0].To[0].ByEgressGateway.Port = -1 }, to + "by_egress_gateway.port"},
		"port of two kinds":         {func(p *policy.Policy) { p.EgressRules[0].To[0].ByEgressGateway.Port = 10444 }, "egress_rules.0.to.2.by_egress_gateway.port"},
		"HTTP on 443": {func(p *policy.Policy) {
			p.EgressRules[0].To[0].Port.Number, p.EgressRules[0].To[0].HTTPSUpgrade, p.EgressRules[0].To[0].TLS = 443, nil, nil
		}, to + "port.protocol"},
		"upgrade of HTTPS": {func(p *policy.Policy) {
			p.EgressRules[0].To[1].HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: true, Port: 443}
		}, "egress_rules.0.to.1.https_upgrade"},
		"upgrade of TCP": {func(p *policy.Policy) {
			p.EgressRules[0].To[3].HTTPSUpgrade = &policy.HTTPSUpgrade{Enabled: true, Port: 443}
		}, "egress_rules.0.to.3.https_upgrade"},
		"upgrade port":    {func(p *policy.Policy) { p.EgressRules[0].To[0].HTTPSUpgrade.Port = 0 }, to + "https_upgrade.port"},
		"TLS mode":        {func(p *policy.Policy) { p.EgressRules[0].To[0].TLS.Mode = "ISTIO_MUTUAL" }, to + "tls.mode"},
		"timeout":         {func(p *policy.Policy) { p.EgressRules[0].To[0].Timeout = ptr("10") }, to + "timeout"},
		"attempts":        {func(p *policy.Policy) { p.EgressRules[0].To[0].Retries.Attempts = -1 }, to + "retries.attempts"},
		"retry condition": {func(p *policy.Policy) { p.EgressRules[0].To[0].Retries.RetryOn = ptr("always") }, to + "retries.retry_on"},
	}
	s := newServer(t, meshKnown)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := example()
			c.change(&p)
			paths := errorPaths(s.In(t).Validate(configOf(t, p)))
			if !slices.Equal(paths, []string{c.at}) {
				t.Errorf("errors at %q, want one at %q", paths, c.at)
			}
		})
	}
}

// What is wrong is said although something else is unknown, and what is
// unknown is never wrong.
func TestBadInputBesideUnknown(t *testing.T) {
	s := newServer(t, meshKnown)
	bad := example()
	bad.EgressRules[0].To[3].Addresses = []string{"203.0.113"}
	config := configOf(t, bad)
	rule := tftypes.NewAttributePath().WithAttributeName("egress_rules").WithElementKeyInt(0)
	for name, at := range map[string]*tftypes.AttributePath{
		"name":         tftypes.NewAttributePath().WithAttributeName("name"),
		"gateway":      tftypes.NewAttributePath().WithAttributeName("by_egress_gateway"),
		"gateway name": tftypes.NewAttributePath().WithAttributeName("by_egress_gateway").WithAttributeName("name"),
		"sources":      rule.WithAttributeName("from"),
		"source":       rule.WithAttributeName("from").WithElementKeyInt(0),
		"entry":        rule.WithAttributeName("to").WithElementKeyInt(0),
		"host":         rule.WithAttributeName("to").WithElementKeyInt(1).WithAttributeName("hosts").WithElementKeyInt(0),
	} {
		t.Run(name, func(t *testing.T) {
			paths := errorPaths(s.In(t).Validate(withUnknown(t, config, at)))
			if want := []string{"egress_rules.0.to.3.addresses.0"}; !slices.Equal(paths, want) {
				t.Errorf("errors at %q, want %q", paths, want)
			}
		})
	}
}

// A null in a list is said to be one, not decoded.
func TestNullElements(t *testing.T) {
	s := newServer(t, meshKnown)
	config := configOf(t, example())
	to := tftypes.NewAttributePath().WithAttributeName("egress_rules").WithElementKeyInt(0).WithAttributeName("to")
	for _, at := range []*tftypes.AttributePath{to.WithElementKeyInt(1), to.WithElementKeyInt(0).WithAttributeName("hosts").WithElementKeyInt(1)} {
		raw, err := tftypes.Transform(config, func(p *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
			if p.Equal(at) {
				return tftypes.NewValue(value.Type(), nil), nil
			}
			return value, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if paths := errorPaths(s.Validate(raw)); len(paths) == 0 || !strings.HasPrefix(pathOf(at), paths[0]) {
			t.Errorf("a null at %s is reported at %q", pathOf(at), paths)
		}
	}
}
