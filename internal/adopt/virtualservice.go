package adopt

import (
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// A VirtualService leads calls of sidecars to the gateway, and what arrives at
// the gateway to the host; often one object does both.

// mesh is how a VirtualService names the sidecars among its gateways.
const mesh = "mesh"

type virtualService struct {
	*object

	hosts    []string
	gateways []string // "mesh" or namespace/name
	exports  exports
	routes   []*route
}

// route is one element of a section.
type route struct {
	*part

	vs      *virtualService
	section string
	matches []*match
	to      *destination
	timeout *string
	retries *policy.Retries

	timeoutAt, retriesAt fields.Field
}

// match is one way into a route. A route without any has one that takes all.
type match struct {
	*part

	gateways        []string // those of the VirtualService if it names none
	named           bool     // whether it names gateways itself
	port            int64    // 0 for every port
	labels          map[string]string
	sourceNamespace string
	sniHosts        []string
	subnets         []string

	labelsAt, sourceNamespaceAt, subnetsAt fields.Field
}

type destination struct {
	at           fields.Field
	host, subset string
	port         int64
}

func readVirtualService(o *object, otherwise []string) *virtualService {
	vs := &virtualService{object: o}
	s := fields.Root(&o.head.blocked, o.spec.Node, "spec").Object()
	vs.hosts = lower(s.Take("hosts").Texts())
	vs.gateways = gatewayNames(o, s.Take("gateways").Texts())
	if len(vs.gateways) == 0 {
		vs.gateways = []string{mesh}
	}
	vs.exports = readExports(o, s.Take("exportTo"), otherwise)
	for _, section := range []string{policy.SectionHTTP, policy.SectionTLS, policy.SectionTCP} {
		for _, element := range s.Take(section).List() {
			vs.routes = append(vs.routes, vs.readRoute(section, element))
		}
	}
	s.Done()
	return vs
}

// gatewayNames writes names as Istio resolves them: a name alone is one of the
// VirtualService's own namespace (pilot/pkg/model/config.go, resolveGatewayName).
func gatewayNames(o *object, names []string) []string {
	for i, name := range names {
		switch {
		case name == mesh || strings.Contains(name, "/"):
		case strings.Contains(name, "."):
			parts := strings.Split(name, ".")
			names[i] = parts[1] + "/" + parts[0]
		default:
			names[i] = o.namespace + "/" + name
		}
	}
	return names
}

const idleRoute = "no call of a declared host takes this route"

func (vs *virtualService) readRoute(section string, f fields.Field) *route {
	r := &route{part: vs.newPart(f, idleRoute), vs: vs, section: section}
	o := r.at.Object()
	for _, element := range o.Take("match").List() {
		r.matches = append(r.matches, r.readMatch(element))
	}
	if len(r.matches) == 0 {
		r.matches = []*match{{part: vs.newPart(fields.Field{Path: r.at.Path}, ""), gateways: vs.gateways}}
	}
	destinations := o.Take("route").List()
	if len(destinations) > 1 {
		o.Take("route").Fail("calls are shared out among %d destinations; a policy leads each host to one", len(destinations))
	}
	for _, element := range destinations {
		r.to = r.readDestination(element)
	}
	if section == policy.SectionHTTP {
		r.readRequests(o)
	}
	if r.to == nil && len(r.blocked) == 0 {
		r.at.Fail("the route leads nowhere")
	}
	o.Done()
	return r
}

func (r *route) readDestination(f fields.Field) *destination {
	o := f.Object()
	at := o.Take("destination")
	d := at.Object()
	to := &destination{at: at, host: fullName(strings.ToLower(d.Take("host").RequiredText()), r.vs.namespace)}
	if subset := d.Take("subset").NonEmpty(); subset != nil {
		to.subset = *subset
	}
	port := d.Take("port").Object()
	if number := port.Take("number").Integer(); number != nil {
		to.port = *number
	}
	port.Done()
	d.Done()
	// Of a single destination the weight says nothing.
	o.Take("weight").Integer()
	if r.section == policy.SectionHTTP {
		r.lose(o.Take("headers"), "headers are not changed by a policy")
	}
	o.Done()
	return to
}

// fullName completes a name without dots, as Istio does
// (pilot/pkg/model/config.go, ResolveShortnameToFQDN).
func fullName(host, namespace string) string {
	if strings.Contains(host, ".") {
		return host
	}
	return host + "." + namespace + serviceSuffix
}

// readRequests reads what only routes of requests have.
func (r *route) readRequests(o *fields.Object) {
	for _, name := range []string{"redirect", "directResponse", "delegate", "rewrite", "fault"} {
		o.Take(name).Refuse("requests are answered or changed here; a policy leads them to the host as they are")
	}
	for _, name := range []string{"mirror", "mirrors", "mirrorPercent", "mirror_percent", "mirrorPercentage", "corsPolicy", "headers"} {
		r.lose(o.Take(name), "a policy has no such setting of requests")
	}
	o.Take("name").Text()
	r.timeoutAt, r.retriesAt = o.Take("timeout"), o.Take("retries")
	r.timeout = r.timeoutAt.NonEmpty()
	if !r.retriesAt.There() {
		return
	}
	retries := r.retriesAt.Object()
	r.retries = &policy.Retries{
		PerTryTimeout: retries.Take("perTryTimeout").NonEmpty(),
		RetryOn:       retries.Take("retryOn").NonEmpty(),
	}
	if attempts := retries.Take("attempts").Integer(); attempts != nil {
		r.retries.Attempts = *attempts
	}
	for _, name := range []string{"retryRemoteLocalities", "retryIgnorePreviousHosts", "backoff"} {
		r.lose(retries.Take(name), "an entry's retries are attempts, per_try_timeout and retry_on")
	}
	retries.Done()
}

func (r *route) readMatch(f fields.Field) *match {
	m := &match{part: r.vs.newPart(f, "no call takes this match"), gateways: r.vs.gateways}
	o := m.at.Object()
	if names := gatewayNames(r.vs.object, o.Take("gateways").Texts()); len(names) > 0 {
		m.gateways, m.named = names, true
	}
	if port := o.Take("port").Integer(); port != nil {
		m.port = *port
	}
	m.labelsAt, m.sourceNamespaceAt = o.Take("sourceLabels"), o.Take("sourceNamespace")
	m.labels = m.labelsAt.TextMap()
	if namespace := m.sourceNamespaceAt.NonEmpty(); namespace != nil {
		m.sourceNamespace = *namespace
	}
	switch r.section {
	case policy.SectionHTTP:
		for _, name := range []string{"uri", "scheme", "method", "authority", "headers", "queryParams", "withoutHeaders"} {
			o.Take(name).Refuse("only some requests are led this way; a policy grants all requests to a host and port, or none")
		}
		o.Take("name").Text()
		m.lose(o.Take("statPrefix"), "statistics are named after the entry")
		o.Ignore("ignoreUriCase")
	case policy.SectionTLS:
		m.sniHosts = lower(o.Take("sniHosts").Texts())
		o.Take("destinationSubnets").Refuse("calls are told apart by address; an entry of TLS has names only")
	case policy.SectionTCP:
		m.subnetsAt = o.Take("destinationSubnets")
		for _, subnet := range m.subnetsAt.Texts() {
			m.subnets = append(m.subnets, single(subnet))
		}
		o.Take("sourceSubnet").Refuse("callers are told apart by address; a policy tells them apart by namespace, labels and service account")
	}
	o.Done()
	return m
}

// blocks returns why calls that take a match of the route cannot be expressed.
func (r *route) blocks(m *match) fields.Problems {
	return slices.Concat(r.head.blocked, r.blocked, m.blocked)
}
