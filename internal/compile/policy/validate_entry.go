package policy

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// maxHosts bounds the hosts of an entry. Each is a port or a server on the
// gateway and two ServiceEntries.
const maxHosts = 50

// entry checks one entry by itself.
func (v *validator) entry(at where, to To) {
	v.syntax(at.at("name"), "Invalid entry name", to.Name, validation.IsDNS1123Label(to.Name))
	v.hosts(at, to)
	v.addresses(at, to)
	v.port(at.at("port"), to)
	v.entryGateway(at.at("by_egress_gateway"), to)
	v.upgrade(at, to)
	v.requests(at, to)
}

func (v *validator) hosts(at where, to To) {
	if n := len(to.Hosts); n < 1 || n > maxHosts {
		v.fail(at.at("hosts"), "Wrong number of hosts", "An entry has 1 to %d hosts, this one has %d.", maxHosts, n)
	}
	seen := map[string]where{}
	for i, host := range to.Hosts {
		at := at.at("hosts", i)
		v.unique(seen, at, "host", host)
		v.host(at, host, to)
	}
	if to.ResolveTo != nil {
		at := at.at("resolve_to")
		if isIP(*to.ResolveTo) {
			v.fail(at, "IP address", "resolve_to is a DNS name; %q is an address.", *to.ResolveTo)
			return
		}
		v.domain(at, *to.ResolveTo)
		if v.direct() && len(to.Addresses) > 0 {
			v.fail(at, "resolve_to with addresses", "Direct traffic goes to the address that the workload dials. Leave resolve_to or addresses out.")
		}
		if slices.ContainsFunc(to.Hosts, isIP) {
			v.fail(at, "resolve_to for an IP address", "An address needs no name to be reached by. Give addresses an entry of their own.")
		}
	}
}

func (v *validator) host(at where, host string, to To) {
	switch {
	case isIP(host):
		v.address(at, host)
		if to.Port.Protocol != TCP {
			v.fail(at, "IP address as host", "%q is an address; an entry of protocol %s takes DNS names. Addresses go with protocol TCP.", host, to.Port.Protocol)
		}
	case isCIDR(host):
		v.fail(at, "Address range as host", "%q is a range of addresses, which the gateway cannot dial. List the addresses, or a DNS name with the range in addresses.", host)
	case strings.Contains(host, "*"):
		v.wildcard(at, host, to)
	default:
		v.domain(at, host)
	}
}

func (v *validator) wildcard(at where, host string, to To) {
	rest, ok := strings.CutPrefix(host, "*.")
	if !ok || strings.Contains(rest, "*") {
		v.fail(at, "Invalid wildcard", "%q: a wildcard stands for the first label, as in *.example.com.", host)
		return
	}
	if !v.domain(at, rest) {
		return
	}
	switch {
	case to.Port.Protocol == TCP:
		v.fail(at, "Wildcard for TCP", "%q: TCP carries no name that a wildcard could match. List the hosts.", host)
	case to.ResolveTo == nil:
		v.fail(at, "Wildcard without resolve_to",
			"%q: an egress gateway has to know where to connect. List the hosts, or name in resolve_to the one host that serves all of them.", host)
	}
}

// domain checks a DNS name that the mesh shall know.
func (v *validator) domain(at where, name string) bool {
	var found []string
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		found = append(found, "a host is a name in lower case, such as httpbin.org, without scheme, port, path, or a dot at its end")
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if len(label) > maxLabel {
			found = append(found, fmt.Sprintf("label %q has more than %d characters", label, maxLabel))
		}
	}
	if _, err := strconv.ParseUint(labels[len(labels)-1], 10, 64); err == nil && len(found) == 0 {
		found = append(found, "the top level domain cannot be all-numeric")
	}
	if len(labels) < 2 && len(found) == 0 {
		found = append(found, "it is not fully qualified; Istio would read it as a service of a namespace")
	}
	if !v.syntax(at, "Invalid DNS name", name, found) {
		return false
	}
	switch {
	case v.mesh.ClusterDomain != "" && strings.HasSuffix(name, ".svc."+v.mesh.ClusterDomain):
		v.fail(at, "Host inside the cluster", "%q is the name of a Kubernetes Service, which beats any ServiceEntry. A policy is for hosts outside the mesh.", name)
		return false
	case name == privateSuffix || strings.HasSuffix(name, "."+privateSuffix):
		v.fail(at, "Reserved name", "Names that end in %q are the provider's own.", privateSuffix)
		return false
	}
	return true
}

// address checks an IP address that a listener or an endpoint gets.
func (v *validator) address(at where, text string) {
	ip, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		v.fail(at, "Invalid address", "%q is no IP address.", text)
	case ip.Zone() != "" || ip.IsUnspecified() || ip.IsMulticast() || ip.Is4In6():
		v.fail(at, "Invalid address", "%q is no address of a host.", text)
	case ip.String() != text:
		v.fail(at, "Invalid address", "Write %q as %q.", text, ip)
	}
}

func (v *validator) addresses(at where, to To) {
	isDomain := func(host string) bool { return !isIP(host) }
	if len(to.Addresses) == 0 {
		if to.Port.Protocol == TCP && slices.ContainsFunc(to.Hosts, isDomain) {
			v.warn(at.at("addresses"), "TCP host without addresses",
				"TCP carries no host name: entry %q works only on workloads with DNS capture "+
					"(proxyMetadata ISTIO_META_DNS_CAPTURE: \"true\"). On others the sidecar takes every call to port %d for this host. "+
					"Name the host's addresses, or switch DNS capture on.", to.Name, to.Port.Number)
		}
		return
	}
	at = at.at("addresses")
	switch {
	case to.Port.Protocol != TCP:
		v.fail(at, "Addresses of an entry that is not TCP", "Requests and TLS carry the host's name; addresses are for protocol TCP.")
	case !slices.ContainsFunc(to.Hosts, isDomain):
		v.fail(at, "Addresses of an address", "The hosts are addresses already.")
	case len(to.Hosts) > 1:
		v.fail(at, "Addresses of several hosts", "An address can lead to one host only. Give each TCP host with addresses an entry of its own.")
	}
	seen := map[string]where{}
	for i, address := range to.Addresses {
		v.unique(seen, at.at(i), "address", address)
		if prefix, err := netip.ParsePrefix(address); err == nil {
			if prefix.Masked().String() != address {
				v.fail(at.at(i), "Invalid address range", "Write %q as %q.", address, prefix.Masked())
			}
			continue
		}
		v.address(at.at(i), address)
	}
}

func (v *validator) port(at where, to To) {
	if !slices.Contains(Protocols(), to.Port.Protocol) {
		v.fail(at.at("protocol"), "Unknown protocol", "%q is none of %s.", to.Port.Protocol, strings.Join(Protocols(), ", "))
	}
	v.portNumber(at.at("number"), to.Port.Number)
	name := fmt.Sprintf("%s-%d", to.Port.Name, to.Port.Number)
	if v.syntax(at.at("name"), "Invalid port name", to.Port.Name, validation.IsDNS1123Label(to.Port.Name)) && len(name) > maxLabel {
		v.fail(at.at("name"), "Port name too long", "%q, the name of the port in the ServiceEntry, has more than %d characters.", name, maxLabel)
	}
	if isHTTP(to.Port.Protocol) && to.Port.Number == 443 && !(entry{To: to}).upgraded() {
		v.fail(at.at("protocol"), "HTTP on port 443",
			"Plain %s on port 443 is almost never what the server speaks. Use protocol HTTPS where the workload speaks TLS, "+
				"or https_upgrade where it speaks HTTP and the gateway shall speak TLS.", to.Port.Protocol)
	}
}

func (v *validator) portNumber(at where, number int64) {
	if number < 1 || number > ports.Highest {
		v.fail(at, "Invalid port", "%d is not between 1 and %d.", number, ports.Highest)
	}
}

func (v *validator) entryGateway(at where, to To) {
	if to.ByEgressGateway == nil {
		return
	}
	if v.direct() {
		v.fail(at, "Gateway port without a gateway", "The policy has no by_egress_gateway, so there is no gateway to dial. Leave it out here, or set it for the policy.")
		return
	}
	port := to.ByEgressGateway.Port
	v.portNumber(at.at("port"), port)
	if ports.Reserved(port) {
		v.fail(at.at("port"), "Reserved port",
			"Port %d is one of Istio's own on the gateway's pods (15000-15099 and 15443). Choose another, or leave by_egress_gateway out to have one assigned.", port)
	}
}

// upgrade checks https_upgrade and tls.
func (v *validator) upgrade(at where, to To) {
	upgraded := entry{To: to}.upgraded()
	if upgraded {
		at := at.at("https_upgrade")
		switch {
		case !isHTTP(to.Port.Protocol):
			v.fail(at, "Upgrade of "+to.Port.Protocol, "Only requests that the workload sends in plain HTTP can be upgraded. Leave https_upgrade out, or use protocol HTTP.")
		case v.direct():
			v.fail(at, "Upgrade without a gateway", "It is the gateway that upgrades. Leave https_upgrade out, or set by_egress_gateway.")
		}
		v.portNumber(at.at("port"), to.HTTPSUpgrade.Port)
	}
	if to.TLS == nil {
		return
	}
	at = at.at("tls")
	if !upgraded {
		v.fail(at, "TLS settings without an upgrade", "tls refines https_upgrade, which is not enabled for this entry.")
	}
	v.tls(at, *to.TLS)
}

func (v *validator) tls(at where, t TLS) {
	skip := t.InsecureSkipVerify != nil && *t.InsecureSkipVerify
	switch t.Mode {
	case Simple:
	case Mutual:
		if t.CredentialName == nil {
			v.fail(at.at("credential_name"), "No credential", "Mode MUTUAL needs the Secret with the client certificate.")
		}
	default:
		v.fail(at.at("mode"), "Unknown mode", "%q is neither %q nor %q.", t.Mode, Simple, Mutual)
	}
	if t.CredentialName != nil {
		name, isConfigMap := strings.CutPrefix(*t.CredentialName, "configmap://")
		v.syntax(at.at("credential_name"), "Invalid credential", *t.CredentialName, validation.IsDNS1123Subdomain(name))
		if isConfigMap && t.Mode == Mutual {
			v.fail(at.at("credential_name"), "No client certificate", "A ConfigMap holds certificate authorities only. Mode MUTUAL needs a Secret.")
		}
	}
	if t.SNI != nil {
		v.syntax(at.at("sni"), "Invalid server name", *t.SNI, validation.IsDNS1123Subdomain(*t.SNI))
	}
	for i, name := range t.SubjectAltNames {
		if name == "" {
			v.fail(at.at("subject_alt_names", i), "Empty name", "A subject alternative name is not empty.")
		}
	}
	switch {
	case skip && len(t.SubjectAltNames) > 0:
		v.fail(at.at("subject_alt_names"), "Names that are not verified", "insecure_skip_verify accepts any certificate. Leave subject_alt_names or insecure_skip_verify out.")
	case skip && t.Mode == Simple && t.CredentialName != nil:
		v.fail(at.at("credential_name"), "Authorities that are not asked", "insecure_skip_verify accepts any certificate. Leave credential_name or insecure_skip_verify out.")
	case skip:
	case t.SNI != nil && len(t.SubjectAltNames) == 0:
		v.fail(at.at("sni"), "Server name without subject_alt_names",
			"With a server name of its own Istio verifies the certificate against no name. Set subject_alt_names too, or leave sni out: then the requested host is sent and verified.")
	case t.SNI == nil && len(t.SubjectAltNames) > 0:
		v.fail(at.at("subject_alt_names"), "subject_alt_names without a server name", "Set sni too, the name that the server is asked for.")
	}
}

// requests checks what only HTTP has.
func (v *validator) requests(at where, to To) {
	if to.Timeout != nil {
		v.requestsOnly(at.at("timeout"), to)
		v.duration(at.at("timeout"), *to.Timeout)
	}
	if to.Retries == nil {
		return
	}
	at = at.at("retries")
	v.requestsOnly(at, to)
	r := *to.Retries
	if r.Attempts < 0 || r.Attempts > maxAttempts {
		v.fail(at.at("attempts"), "Invalid number of attempts", "%d is not between 0 and %d.", r.Attempts, maxAttempts)
	}
	if r.Attempts == 0 && (r.PerTryTimeout != nil || r.RetryOn != nil) {
		v.fail(at.at("attempts"), "Retries that are switched off", "attempts = 0 switches retries off. Leave per_try_timeout and retry_on out.")
	}
	if r.PerTryTimeout != nil {
		v.duration(at.at("per_try_timeout"), *r.PerTryTimeout)
	}
	if r.RetryOn != nil {
		v.retryOn(at.at("retry_on"), *r.RetryOn)
	}
}

// maxAttempts is far beyond what makes sense, and fits the API's int32.
const maxAttempts = 100

func (v *validator) requestsOnly(at where, to To) {
	switch {
	case v.direct():
		v.fail(at, "HTTP settings without a gateway", "It is the gateway that applies them. Leave them out, or set by_egress_gateway.")
	case !isHTTP(to.Port.Protocol):
		v.fail(at, "HTTP settings of "+to.Port.Protocol, "The gateway sees no requests in protocol %s.", to.Port.Protocol)
	}
}

// duration checks a duration as Istio does
// (pkg/config/validation/agent, ValidateDuration).
func (v *validator) duration(at where, text string) {
	duration, err := time.ParseDuration(text)
	switch {
	case err != nil:
		v.fail(at, "Invalid duration", "%q is no duration such as 10s or 500ms.", text)
	case duration < time.Millisecond || duration%time.Millisecond != 0:
		v.fail(at, "Invalid duration", "%q is not a positive number of milliseconds.", text)
	}
}

// retryConditions are what Istio takes in retryOn, besides HTTP status codes
// (pkg/config/validation, supportedRetryOnPolicies).
var retryConditions = []string{
	"5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx",
	"refused-stream", "retriable-status-codes", "retriable-headers", "envoy-ratelimited",
	"http3-post-connect-failure",
	"cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
}

func (v *validator) retryOn(at where, text string) {
	for condition := range strings.SplitSeq(text, ",") {
		code, _ := strconv.Atoi(condition)
		if http.StatusText(code) == "" && !slices.Contains(retryConditions, condition) {
			v.fail(at, "Unknown retry condition", "%q is neither an HTTP status code nor one of %s.", condition, strings.Join(retryConditions, ", "))
		}
	}
}

func isCIDR(host string) bool {
	_, err := netip.ParsePrefix(host)
	return err == nil
}
