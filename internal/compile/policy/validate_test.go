package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// valid returns a policy without problems: two rules, each with one source
// and one entry.
func valid() policy.Policy {
	return policy.Policy{
		Name:                "payments",
		ByEgressGateway:     &compile.Reference{Name: "gw", Namespace: "istio-egress"},
		UnselectedWorkloads: policy.Deny,
		EgressRules: []policy.Rule{
			{
				From: []policy.From{{Namespace: "shop", WorkloadSelector: map[string]string{"app": "a"}}},
				To:   []policy.To{{Name: "web", Hosts: []string{"httpbin.org"}, Port: policy.Port{Name: "http", Number: 80, Protocol: policy.HTTP}}},
			},
			{
				From: []policy.From{{Namespace: "shop", WorkloadSelector: map[string]string{"app": "b"}}},
				To:   []policy.To{{Name: "api", Hosts: []string{"api.example"}, Port: policy.Port{Name: "https", Number: 443, Protocol: policy.HTTPS}}},
			},
		},
	}
}

func ptr[T any](v T) *T { return &v }

func TestValidPolicy(t *testing.T) {
	for _, problem := range policy.Validate(valid(), defaultMesh) {
		t.Errorf("%s: %s: %s", compile.PathText(problem.Path), problem.Summary, problem.Detail)
	}
}

// Every workload of a namespace has to be asked for by name; whoever names
// service accounts, or an empty selector, has named somebody.
func TestWorkloadsAreNamed(t *testing.T) {
	for name, edit := range map[string]func(*policy.Policy){
		"all workloads":                    func(p *policy.Policy) { p.EgressRules[0].From[0].WorkloadSelector = map[string]string{} },
		"all workloads of direct policies": direct,
		"service accounts": func(p *policy.Policy) {
			p.EgressRules[0].From[0] = policy.From{Namespace: "shop", ServiceAccounts: []string{"a"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := valid()
			edit(&p)
			for _, problem := range policy.Validate(p, defaultMesh) {
				if !problem.Warning && problem.Summary == "Source without workloads" {
					t.Errorf("%s: %s", compile.PathText(problem.Path), problem.Detail)
				}
			}
		})
	}
}

// web and api are the two entries of valid().
func web(p *policy.Policy) *policy.To { return &p.EgressRules[0].To[0] }

func api(p *policy.Policy) *policy.To { return &p.EgressRules[1].To[0] }

func tcp(number int64) policy.Port {
	return policy.Port{Name: "tcp", Number: number, Protocol: policy.TCP}
}

func gatewayPort(port int64) *policy.EntryGateway { return &policy.EntryGateway{Port: port} }

func upgrade(port int64) *policy.HTTPSUpgrade { return &policy.HTTPSUpgrade{Enabled: true, Port: port} }

// direct makes the policy a direct one.
func direct(p *policy.Policy) {
	p.ByEgressGateway = nil
	for i := range p.EgressRules {
		p.EgressRules[i].From[0].WorkloadSelector = map[string]string{}
	}
}

const (
	rule0, rule1   = "egress_rules[0]", "egress_rules[1]"
	from0          = rule0 + ".from[0]"
	entry0, entry1 = rule0 + ".to[0]", rule1 + ".to[0]"
	namespace0     = from0 + ".namespace"
	hosts0         = entry0 + ".hosts"
	accounts0      = from0 + ".service_accounts"
	reference      = "by_egress_gateway"
)

var invalid = []struct {
	name string
	edit func(p *policy.Policy)
	// path and summary of the one problem.
	path, summary string
}{
	{"policy name in capitals", func(p *policy.Policy) { p.Name = "Payments" }, "name", "Invalid policy name"},
	{"policy name begins with a digit", func(p *policy.Policy) { p.Name = "1st" }, "name", "Invalid policy name"},
	{"policy name too long", func(p *policy.Policy) { p.Name = strings.Repeat("a", 60) }, "name", "Policy name too long"},
	{"revision", func(p *policy.Policy) { p.Revision = ptr("1.31/a") }, "revision", "Invalid revision"},
	{"unselected workloads", func(p *policy.Policy) { p.UnselectedWorkloads = "maybe" }, "unselected_workloads", "Unknown value"},
	{"policy too large", func(p *policy.Policy) {
		p.EgressRules[0].Name = ptr(strings.Repeat("a", 250<<10))
	}, "egress_rules", "Policy too large"},
	{"no rules", func(p *policy.Policy) { p.EgressRules = nil }, "egress_rules", "No rules"},

	{"gateway name", func(p *policy.Policy) { p.ByEgressGateway.Name = "gw.a" }, reference + ".name", "Invalid gateway name"},
	{"gateway's service account", func(p *policy.Policy) { p.ByEgressGateway.ServiceAccount = ptr("*") }, reference + ".service_account", "Invalid service account"},
	{"gateway name too long", func(p *policy.Policy) { p.ByEgressGateway.Name = strings.Repeat("g", 58) }, reference + ".name", "Gateway name too long"},
	{"gateway namespace", func(p *policy.Policy) { p.ByEgressGateway.Namespace = "istio_egress" }, reference + ".namespace", "Invalid namespace"},
	{"gateway in the root namespace", func(p *policy.Policy) { p.ByEgressGateway.Namespace = "istio-system" }, reference + ".namespace", "Gateway in Istio's root namespace"},
	{"gateway selector", func(p *policy.Policy) { p.ByEgressGateway.Selector = map[string]string{"a b": "c"} }, reference + `.selector["a b"]`, "Invalid label key"},
	{"gateway revision", func(p *policy.Policy) { p.ByEgressGateway.Revision = ptr("a b") }, reference + ".revision", "Invalid revision"},
	{"authorization", func(p *policy.Policy) { p.ByEgressGateway.Authorization = ptr("some") }, reference + ".authorization", "Unknown value"},
	{"authorization without mutual TLS", func(p *policy.Policy) {
		p.ByEgressGateway.Authorization, p.ByEgressGateway.MutualTLS = ptr("allow_listed"), ptr(false)
	}, reference + ".authorization", "Authorization needs mutual TLS"},

	{"no sources", func(p *policy.Policy) { p.EgressRules[0].From = nil }, rule0 + ".from", "No sources"},
	{"no entries", func(p *policy.Policy) { p.EgressRules[0].To = nil }, rule0 + ".to", "No entries"},
	{"duplicate rule name", func(p *policy.Policy) {
		p.EgressRules[0].Name, p.EgressRules[1].Name = ptr("x"), ptr("x")
	}, rule1 + ".name", "Duplicate rule name"},
	{"duplicate entry name", func(p *policy.Policy) { api(p).Name = "web" }, entry1 + ".name", "Duplicate entry name"},
	{"source namespace", func(p *policy.Policy) { p.EgressRules[0].From[0].Namespace = "*" }, namespace0, "Invalid namespace"},
	{"source in the gateway's namespace", func(p *policy.Policy) { p.EgressRules[0].From[0].Namespace = "istio-egress" }, namespace0, "Source in the gateway's namespace"},
	{"label key", func(p *policy.Policy) { p.EgressRules[0].From[0].WorkloadSelector = map[string]string{"-a": "b"} }, from0 + `.workload_selector["-a"]`, "Invalid label key"},
	{"label value", func(p *policy.Policy) { p.EgressRules[0].From[0].WorkloadSelector = map[string]string{"app": "a b"} }, from0 + ".workload_selector.app", "Invalid label value"},
	{"service account", func(p *policy.Policy) { p.EgressRules[0].From[0].ServiceAccounts = []string{"a*"} }, accounts0 + "[0]", "Invalid service account"},
	{"duplicate service account", func(p *policy.Policy) { p.EgressRules[0].From[0].ServiceAccounts = []string{"a", "a"} }, accounts0 + "[1]", "Duplicate service account name"},
	{"service accounts without mutual TLS", func(p *policy.Policy) {
		p.ByEgressGateway.MutualTLS = ptr(false)
		p.EgressRules[0].From[0].ServiceAccounts = []string{"a"}
	}, accounts0, "Service accounts need mutual TLS"},
	{"no workloads", func(p *policy.Policy) { p.EgressRules[0].From[0].WorkloadSelector = nil }, from0, "Source without workloads"},
	{"no workloads of a direct policy", func(p *policy.Policy) {
		direct(p)
		p.EgressRules[1].From[0].WorkloadSelector = nil
	}, "egress_rules[1].from[0]", "Source without workloads"},
	{"service accounts in part", func(p *policy.Policy) {
		p.EgressRules[0].From = append(p.EgressRules[0].From, policy.From{Namespace: "other", ServiceAccounts: []string{"a"}})
	}, from0, "Service accounts for a part of the sources"},

	{"entry name", func(p *policy.Policy) { web(p).Name = "a.b" }, entry0 + ".name", "Invalid entry name"},
	{"no hosts", func(p *policy.Policy) { web(p).Hosts = nil }, hosts0, "Wrong number of hosts"},
	{"too many hosts", func(p *policy.Policy) {
		web(p).Hosts = nil
		for i := range 51 {
			web(p).Hosts = append(web(p).Hosts, fmt.Sprintf("h%d.example", i))
		}
	}, hosts0, "Wrong number of hosts"},
	{"duplicate host", func(p *policy.Policy) { web(p).Hosts = []string{"a.example", "a.example"} }, hosts0 + "[1]", "Duplicate host name"},
	{"host in capitals", func(p *policy.Policy) { web(p).Hosts = []string{"A.example"} }, hosts0 + "[0]", "Invalid DNS name"},
	{"host with a dot at its end", func(p *policy.Policy) { web(p).Hosts = []string{"a.example."} }, hosts0 + "[0]", "Invalid DNS name"},
	{"host with a port", func(p *policy.Policy) { web(p).Hosts = []string{"a.example:80"} }, hosts0 + "[0]", "Invalid DNS name"},
	{"host with a long label", func(p *policy.Policy) { web(p).Hosts = []string{strings.Repeat("a", 64) + ".example"} }, hosts0 + "[0]", "Invalid DNS name"},
	{"host of one label", func(p *policy.Policy) { web(p).Hosts = []string{"localhost"} }, hosts0 + "[0]", "Invalid DNS name"},
	{"host with a numeric top level domain", func(p *policy.Policy) { web(p).Hosts = []string{"1.2.3"} }, hosts0 + "[0]", "Invalid DNS name"},
	{"host inside the cluster", func(p *policy.Policy) { web(p).Hosts = []string{"a.b.svc.cluster.local"} }, hosts0 + "[0]", "Host inside the cluster"},
	{"reserved host", func(p *policy.Policy) { web(p).Hosts = []string{"a.egress.internal"} }, hosts0 + "[0]", "Reserved name"},
	{"address as host of HTTP", func(p *policy.Policy) { web(p).Hosts = []string{"1.1.1.1"} }, hosts0 + "[0]", "IP address as host"},
	{"address as host of HTTPS", func(p *policy.Policy) { api(p).Hosts = []string{"::1"} }, entry1 + ".hosts[0]", "IP address as host"},
	{"unspecified address", func(p *policy.Policy) { web(p).Hosts, web(p).Port = []string{"0.0.0.0"}, tcp(80) }, hosts0 + "[0]", "Invalid address"},
	{"address in a long form", func(p *policy.Policy) { web(p).Hosts, web(p).Port = []string{"2001:DB8::1"}, tcp(80) }, hosts0 + "[0]", "Invalid address"},
	{"range as host", func(p *policy.Policy) { web(p).Hosts, web(p).Port = []string{"10.0.0.0/8"}, tcp(80) }, hosts0 + "[0]", "Address range as host"},
	{"every host", func(p *policy.Policy) { web(p).Hosts = []string{"*"} }, hosts0 + "[0]", "Invalid wildcard"},
	{"wildcard in the middle", func(p *policy.Policy) { web(p).Hosts = []string{"a.*.example"} }, hosts0 + "[0]", "Invalid wildcard"},
	{"wildcard without resolve_to", func(p *policy.Policy) { web(p).Hosts = []string{"*.example.com"} }, hosts0 + "[0]", "Wildcard without resolve_to"},
	{"wildcard for TCP", func(p *policy.Policy) {
		web(p).Hosts, web(p).Port, web(p).Addresses = []string{"*.example.com"}, tcp(80), []string{"1.1.1.1"}
	}, hosts0 + "[0]", "Wildcard for TCP"},
	{"resolve_to an address", func(p *policy.Policy) { web(p).ResolveTo = ptr("1.1.1.1") }, entry0 + ".resolve_to", "IP address"},
	{"resolve_to a wildcard", func(p *policy.Policy) { web(p).ResolveTo = ptr("*.example.com") }, entry0 + ".resolve_to", "Invalid DNS name"},
	{"resolve_to for an address", func(p *policy.Policy) {
		web(p).Hosts, web(p).Port, web(p).ResolveTo = []string{"1.1.1.1"}, tcp(80), ptr("a.example")
	}, entry0 + ".resolve_to", "resolve_to for an IP address"},

	{"addresses of HTTP", func(p *policy.Policy) { web(p).Addresses = []string{"1.1.1.1"} }, entry0 + ".addresses", "Addresses of an entry that is not TCP"},
	{"addresses of an address", func(p *policy.Policy) {
		web(p).Hosts, web(p).Port, web(p).Addresses = []string{"1.1.1.1"}, tcp(80), []string{"1.1.1.2"}
	}, entry0 + ".addresses", "Addresses of an address"},
	{"addresses of two hosts", func(p *policy.Policy) {
		web(p).Hosts, web(p).Port, web(p).Addresses = []string{"a.example", "b.example"}, tcp(80), []string{"1.1.1.2"}
	}, entry0 + ".addresses", "Addresses of several hosts"},
	{"invalid address", func(p *policy.Policy) { web(p).Port, web(p).Addresses = tcp(80), []string{"1.1.1"} }, entry0 + ".addresses[0]", "Invalid address"},
	{"invalid range", func(p *policy.Policy) { web(p).Port, web(p).Addresses = tcp(80), []string{"10.0.0.1/8"} }, entry0 + ".addresses[0]", "Invalid address range"},
	{"duplicate address", func(p *policy.Policy) { web(p).Port, web(p).Addresses = tcp(80), []string{"1.1.1.1", "1.1.1.1"} }, entry0 + ".addresses[1]", "Duplicate address name"},

	{"protocol", func(p *policy.Policy) { web(p).Port.Protocol = "UDP" }, entry0 + ".port.protocol", "Unknown protocol"},
	{"port 0", func(p *policy.Policy) { web(p).Port.Number = 0 }, entry0 + ".port.number", "Invalid port"},
	{"port beyond the last", func(p *policy.Policy) { web(p).Port.Number = 65536 }, entry0 + ".port.number", "Invalid port"},
	{"port name", func(p *policy.Policy) { web(p).Port.Name = "a_b" }, entry0 + ".port.name", "Invalid port name"},
	{"port name too long", func(p *policy.Policy) { web(p).Port.Name = strings.Repeat("a", 62) }, entry0 + ".port.name", "Port name too long"},
	{"HTTP on 443", func(p *policy.Policy) { web(p).Port.Number = 443 }, entry0 + ".port.protocol", "HTTP on port 443"},
	{"HTTP on 443, upgrade off", func(p *policy.Policy) {
		web(p).Port.Number, web(p).HTTPSUpgrade = 443, &policy.HTTPSUpgrade{Port: 443}
	}, entry0 + ".port.protocol", "HTTP on port 443"},
	{"gateway port 0", func(p *policy.Policy) { web(p).ByEgressGateway = gatewayPort(0) }, entry0 + ".by_egress_gateway.port", "Invalid port"},
	{"reserved gateway port", func(p *policy.Policy) { web(p).ByEgressGateway = gatewayPort(15021) }, entry0 + ".by_egress_gateway.port", "Reserved port"},

	{"upgrade of HTTPS", func(p *policy.Policy) { api(p).HTTPSUpgrade = upgrade(443) }, entry1 + ".https_upgrade", "Upgrade of HTTPS"},
	{"upgrade of TCP", func(p *policy.Policy) {
		web(p).Hosts, web(p).Port, web(p).HTTPSUpgrade = []string{"1.1.1.1"}, tcp(80), upgrade(443)
	}, entry0 + ".https_upgrade", "Upgrade of TCP"},
	{"upgrade port", func(p *policy.Policy) { web(p).HTTPSUpgrade = upgrade(70000) }, entry0 + ".https_upgrade.port", "Invalid port"},
	{"tls without upgrade", func(p *policy.Policy) { web(p).TLS = &policy.TLS{Mode: policy.Simple} }, entry0 + ".tls", "TLS settings without an upgrade"},
	{"tls with the upgrade off", func(p *policy.Policy) {
		web(p).HTTPSUpgrade, web(p).TLS = &policy.HTTPSUpgrade{Port: 443}, &policy.TLS{Mode: policy.Simple}
	}, entry0 + ".tls", "TLS settings without an upgrade"},
	{"tls mode", tlsEdit(policy.TLS{Mode: "ISTIO_MUTUAL"}), entry0 + ".tls.mode", "Unknown mode"},
	{"mutual without a credential", tlsEdit(policy.TLS{Mode: policy.Mutual}), entry0 + ".tls.credential_name", "No credential"},
	{"credential", tlsEdit(policy.TLS{Mode: policy.Simple, CredentialName: ptr("a/b")}), entry0 + ".tls.credential_name", "Invalid credential"},
	{"mutual with a ConfigMap", tlsEdit(policy.TLS{Mode: policy.Mutual, CredentialName: ptr("configmap://ca")}), entry0 + ".tls.credential_name", "No client certificate"},
	{"sni syntax", tlsEdit(policy.TLS{Mode: policy.Simple, SNI: ptr("a b"), SubjectAltNames: []string{"x"}}), entry0 + ".tls.sni", "Invalid server name"},
	{"sni alone", tlsEdit(policy.TLS{Mode: policy.Simple, SNI: ptr("a.example")}), entry0 + ".tls.sni", "Server name without subject_alt_names"},
	{"SANs alone", tlsEdit(policy.TLS{Mode: policy.Simple, SubjectAltNames: []string{"a.example"}}), entry0 + ".tls.subject_alt_names", "subject_alt_names without a server name"},
	{"empty SAN", tlsEdit(policy.TLS{Mode: policy.Simple, SNI: ptr("a.example"), SubjectAltNames: []string{""}}), entry0 + ".tls.subject_alt_names[0]", "Empty name"},
	{"SANs that nobody verifies", tlsEdit(policy.TLS{Mode: policy.Simple, SNI: ptr("a.example"), SubjectAltNames: []string{"a.example"}, InsecureSkipVerify: ptr(true)}), entry0 + ".tls.subject_alt_names", "Names that are not verified"},
	{"CA that nobody asks", tlsEdit(policy.TLS{Mode: policy.Simple, CredentialName: ptr("ca"), InsecureSkipVerify: ptr(true)}), entry0 + ".tls.credential_name", "Authorities that are not asked"},

	{"timeout", func(p *policy.Policy) { web(p).Timeout = ptr("10") }, entry0 + ".timeout", "Invalid duration"},
	{"timeout 0", func(p *policy.Policy) { web(p).Timeout = ptr("0s") }, entry0 + ".timeout", "Invalid duration"},
	{"timeout below a millisecond", func(p *policy.Policy) { web(p).Timeout = ptr("1500us") }, entry0 + ".timeout", "Invalid duration"},
	{"timeout of HTTPS", func(p *policy.Policy) { api(p).Timeout = ptr("1s") }, entry1 + ".timeout", "HTTP settings of HTTPS"},
	{"retries of HTTPS", func(p *policy.Policy) { api(p).Retries = &policy.Retries{Attempts: 1} }, entry1 + ".retries", "HTTP settings of HTTPS"},
	{"attempts", func(p *policy.Policy) { web(p).Retries = &policy.Retries{Attempts: -1} }, entry0 + ".retries.attempts", "Invalid number of attempts"},
	{"retries switched off", func(p *policy.Policy) { web(p).Retries = &policy.Retries{RetryOn: ptr("5xx")} }, entry0 + ".retries.attempts", "Retries that are switched off"},
	{"per_try_timeout", func(p *policy.Policy) { web(p).Retries = &policy.Retries{Attempts: 1, PerTryTimeout: ptr("x")} }, entry0 + ".retries.per_try_timeout", "Invalid duration"},
	{"retry_on", func(p *policy.Policy) { web(p).Retries = &policy.Retries{Attempts: 1, RetryOn: ptr("5xx,sometimes")} }, entry0 + ".retries.retry_on", "Unknown retry condition"},

	{"direct with labels", func(p *policy.Policy) {
		direct(p)
		p.EgressRules[0].From[0].WorkloadSelector = map[string]string{"app": "a"}
	}, from0 + ".workload_selector", "Labels without a gateway"},
	{"direct with service accounts", func(p *policy.Policy) {
		direct(p)
		p.EgressRules[0].From[0].ServiceAccounts = []string{"a"}
	}, accounts0, "Service accounts without a gateway"},
	{"direct with unselected workloads", func(p *policy.Policy) {
		direct(p)
		p.UnselectedWorkloads = policy.Direct
	}, "unselected_workloads", "No workload is unselected in a direct policy"},
	{"direct with a gateway port", func(p *policy.Policy) {
		direct(p)
		web(p).ByEgressGateway = gatewayPort(80)
	}, entry0 + ".by_egress_gateway", "Gateway port without a gateway"},
	{"direct with an upgrade", func(p *policy.Policy) {
		direct(p)
		web(p).HTTPSUpgrade = upgrade(443)
	}, entry0 + ".https_upgrade", "Upgrade without a gateway"},
	{"direct with a timeout", func(p *policy.Policy) {
		direct(p)
		web(p).Timeout = ptr("1s")
	}, entry0 + ".timeout", "HTTP settings without a gateway"},
	{"direct with resolve_to and addresses", func(p *policy.Policy) {
		direct(p)
		web(p).Port, web(p).Addresses, web(p).ResolveTo = tcp(80), []string{"1.1.1.1"}, ptr("a.example")
	}, entry0 + ".resolve_to", "resolve_to with addresses"},
	{"direct with two ways to resolve", func(p *policy.Policy) {
		direct(p)
		web(p).Hosts, web(p).ResolveTo = []string{"*.example.com"}, ptr("a.example.com")
		api(p).Hosts, api(p).ResolveTo = []string{"*.example.com"}, ptr("b.example.com")
	}, entry1 + ".resolve_to", "Two ways to resolve a host"},

	{"same selector for one host and port", func(p *policy.Policy) {
		p.EgressRules[1].From = p.EgressRules[0].From
		api(p).Hosts, api(p).Port = web(p).Hosts, web(p).Port
	}, entry1 + ".hosts[0]", "Overlapping sources"},
	{"selectors of different keys overlap", func(p *policy.Policy) {
		p.EgressRules[1].From[0].WorkloadSelector = map[string]string{"tier": "x"}
		api(p).Hosts, api(p).Port = []string{"other.example", "httpbin.org"}, web(p).Port
	}, entry1 + ".hosts[1]", "Overlapping sources"},
	{"an empty selector overlaps every selector", func(p *policy.Policy) {
		p.EgressRules[1].From[0].WorkloadSelector = map[string]string{}
		api(p).Hosts, api(p).Port = web(p).Hosts, web(p).Port
	}, entry1 + ".hosts[0]", "Overlapping sources"},
	{"two protocols on one port", func(p *policy.Policy) {
		api(p).Hosts, api(p).Port = web(p).Hosts, policy.Port{Name: "http", Number: 80, Protocol: policy.HTTP2}
		p.EgressRules[1].From[0].Namespace = "shop"
		web(p).ResolveTo = ptr("upstream.example")
	}, entry1 + ".port.protocol", "Two protocols on one port"},
	{"two names for one port", func(p *policy.Policy) {
		api(p).Hosts, api(p).Port = web(p).Hosts, policy.Port{Name: "web", Number: 80, Protocol: policy.HTTP}
	}, entry1 + ".port.name", "Two names for one port"},
	{"two protocols to one port of a host", func(p *policy.Policy) {
		p.EgressRules[1].From[0].Namespace = "other"
		api(p).Hosts, api(p).Port = web(p).Hosts, policy.Port{Name: "http", Number: 80, Protocol: policy.GRPC}
	}, entry1 + ".port.protocol", "Two protocols to one port of a host"},
	{"one address for two hosts", func(p *policy.Policy) {
		web(p).Hosts, web(p).Port = []string{"1.1.1.1"}, tcp(80)
		api(p).Port, api(p).Addresses = tcp(80), []string{"1.1.1.1"}
	}, entry1, "One address for two hosts"},
	{"two lists of addresses", func(p *policy.Policy) {
		web(p).Port, web(p).Addresses = tcp(80), []string{"1.1.1.1"}
		api(p).Hosts, api(p).Port, api(p).Addresses = web(p).Hosts, tcp(81), []string{"1.1.1.2"}
	}, entry1 + ".addresses", "Two lists of addresses for one host"},
	{"HTTP and HTTPS on one gateway port", func(p *policy.Policy) {
		web(p).ByEgressGateway, api(p).ByEgressGateway = gatewayPort(444), gatewayPort(444)
	}, entry1 + ".by_egress_gateway.port", "Port cannot be shared"},
	{"HTTP/1.1 and HTTP/2 on one gateway port", func(p *policy.Policy) {
		api(p).Port = policy.Port{Name: "grpc", Number: 80, Protocol: policy.GRPC}
		web(p).ByEgressGateway, api(p).ByEgressGateway = gatewayPort(444), gatewayPort(444)
	}, entry1 + ".by_egress_gateway.port", "Port cannot be shared"},
	{"hosts that meet on one gateway port", func(p *policy.Policy) {
		web(p).Hosts, web(p).Port = []string{"www.httpbin.org"}, policy.Port{Name: "https", Number: 8443, Protocol: policy.HTTPS}
		api(p).Hosts, api(p).ResolveTo = []string{"*.httpbin.org"}, ptr("httpbin.org")
		web(p).ByEgressGateway, api(p).ByEgressGateway = gatewayPort(444), gatewayPort(444)
	}, entry1 + ".by_egress_gateway.port", "Port cannot be shared"},
	{"two TCP hosts on one gateway port without mutual TLS", func(p *policy.Policy) {
		p.ByEgressGateway.MutualTLS = ptr(false)
		web(p).Hosts, web(p).Port, web(p).ByEgressGateway = []string{"1.1.1.1", "1.1.1.2"}, tcp(80), gatewayPort(12000)
	}, entry0 + ".by_egress_gateway.port", "TCP on a shared port"},
}

func tlsEdit(t policy.TLS) func(*policy.Policy) {
	return func(p *policy.Policy) { web(p).HTTPSUpgrade, web(p).TLS = upgrade(443), &t }
}

func TestInvalidPolicies(t *testing.T) {
	for _, tt := range invalid {
		t.Run(tt.name, func(t *testing.T) {
			p := valid()
			tt.edit(&p)
			var errors []compile.Problem
			for _, problem := range policy.Validate(p, defaultMesh) {
				if !problem.Warning {
					errors = append(errors, problem)
				}
			}
			if len(errors) != 1 {
				t.Fatalf("%d problems, want one: %v", len(errors), errors)
			}
			got := errors[0]
			if compile.PathText(got.Path) != tt.path || got.Summary != tt.summary {
				t.Errorf("%s: %s\nwant\n%s: %s", compile.PathText(got.Path), got.Summary, tt.path, tt.summary)
			}
			if got.Detail == "" || strings.Contains(got.Detail, "%!") {
				t.Errorf("detail: %q", got.Detail)
			}
		})
	}
}
