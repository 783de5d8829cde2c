package adopt

import (
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// An AuthorizationPolicy on the gateway's pods says whose calls get through.
// Those on other pods are about what comes in there.
type authorizationPolicy struct {
	*object

	action   string
	selector map[string]string
	rules    []*rule
	// trustDomains are those whose callers are the mesh's own.
	trustDomains []string
}

type rule struct {
	*part

	callers []caller // none: everybody
	hosts   []string // of requests; none: all
	ports   []string
	names   []string // server names; none: all
}

// anyTrustDomain stands for that of the mesh, whatever it is
// (pilot/pkg/security/trustdomain, replaceTrustDomainAliases).
const anyTrustDomain = "cluster.local"

// caller is a service account, or with an empty name all of a namespace.
type caller struct{ namespace, account string }

func readAuthorizationPolicy(o *object, trustDomains []string) *authorizationPolicy {
	ap := &authorizationPolicy{object: o, action: "ALLOW", trustDomains: trustDomains}
	s := fields.Root(&o.head.blocked, o.spec.Node, "spec").Object()
	if action := s.Take("action").NonEmpty(); action != nil {
		ap.action = *action
	}
	selector := s.Take("selector").Object()
	ap.selector = selector.Take("matchLabels").TextMap()
	selector.Done()
	for _, name := range []string{"targetRef", "targetRefs", "provider"} {
		s.Take(name).Refuse("a policy decides by namespace and service account alone")
	}
	for _, element := range s.Take("rules").List() {
		ap.rules = append(ap.rules, ap.readRule(element))
	}
	s.Done()
	return ap
}

func (ap *authorizationPolicy) readRule(f fields.Field) *rule {
	r := &rule{part: ap.newPart(f, "none of the calls that are led to the gateway is one of this rule's")}
	o := r.at.Object()
	for _, element := range o.Take("from").List() {
		from := element.Object()
		source := from.Take("source").Object()
		r.readSource(source, ap.trustDomains)
		from.Done()
	}
	for _, element := range o.Take("to").List() {
		to := element.Object()
		operation := to.Take("operation").Object()
		r.hosts = append(r.hosts, lower(operation.Take("hosts").Texts())...)
		r.ports = append(r.ports, operation.Take("ports").Texts()...)
		for _, other := range operation.Rest() {
			other.Refuse("only some requests are admitted; a policy admits all requests to a host and port, or none")
		}
		to.Done()
	}
	for _, element := range o.Take("when").List() {
		when := element.Object()
		key, values := when.Take("key"), when.Take("values").Texts()
		if text := key.NonEmpty(); text != nil && *text == "connection.sni" {
			r.names = append(r.names, lower(values)...)
		} else {
			key.Fail("a policy admits callers by namespace and service account, not by this")
		}
		when.Take("notValues").Refuse("a policy says whom it admits, not whom it does not")
		when.Done()
	}
	o.Done()
	return r
}

// readSource adds the callers of a source. Its fields bind together.
func (r *rule) readSource(o *fields.Object, trustDomains []string) {
	var callers []caller
	principals := o.Take("principals")
	for _, element := range principals.List() {
		name := element.RequiredText()
		// <trust domain>/ns/<namespace>/sa/<service account>
		parts := strings.Split(name, "/")
		switch {
		case !slices.Contains(trustDomains, parts[0]):
			element.Fail("%q is of another trust domain; a policy admits callers of the mesh's own", name)
		case len(parts) == 5 && parts[1] == "ns" && parts[3] == "sa" && !strings.Contains(name, "*"):
			callers = append(callers, caller{parts[2], parts[4]})
		case len(parts) >= 4 && parts[1] == "ns" && (strings.Join(parts[3:], "/") == "*" || strings.Join(parts[3:], "/") == "sa/*") && !strings.Contains(parts[2], "*"):
			callers = append(callers, caller{namespace: parts[2]})
		default:
			element.Fail("%q is neither a service account nor all of a namespace", name)
		}
	}
	for _, element := range o.Take("serviceAccounts").List() {
		namespace, account, ok := strings.Cut(element.RequiredText(), "/")
		if !ok {
			namespace, account = r.namespace, namespace
		}
		callers = append(callers, caller{namespace, account})
	}
	namespaces := o.Take("namespaces").List()
	if len(callers) > 0 && len(namespaces) > 0 {
		o.Take("namespaces").Fail("it binds together with the others of this source; say it in one field")
	}
	for _, element := range namespaces {
		name := element.RequiredText()
		if strings.Contains(name, "*") {
			element.Fail("%q is not one namespace", name)
		}
		callers = append(callers, caller{namespace: name})
	}
	for _, other := range o.Rest() {
		other.Refuse("a policy admits callers by namespace and service account, not by this")
	}
	r.callers = append(r.callers, callers...)
}

// mayHit reports whether the rule is about calls to a host on a server. A rule
// about requests has no say on other connections.
func (r *rule) hits(host string, s *server, requests bool, sni string) bool {
	if len(r.hosts) > 0 && (!requests || !slices.ContainsFunc(r.hosts, func(own string) bool {
		return own == "*" || covers(strings.TrimSuffix(strings.TrimSuffix(own, ":*"), ":80"), host)
	})) {
		return false
	}
	if len(r.names) > 0 && !slices.ContainsFunc(r.names, func(own string) bool { return covers(own, sni) }) {
		return false
	}
	return len(r.ports) == 0 || slices.Contains(r.ports, itoa(s.number))
}
