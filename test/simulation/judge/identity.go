package judge

import (
	"fmt"
	"regexp"
	"strings"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	httprbac "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcprbac "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// connection is what a gateway knows of a caller when it decides whether to
// let him in.
type connection struct {
	identity *scenario.Identity // nil without mutual TLS
	sni      string
	port     uint32
	host     string // Host header, HTTP only
}

// admits returns why the filter chain refuses the connection; nil if it lets
// it in. What it cannot evaluate it does not guess: that is an error too, and
// panics, since the proof would be worth nothing.
func (c connection) admits(chain guard) error {
	if err := c.handshake(chain.tls); err != nil {
		return err
	}
	for _, rules := range chain.rbac {
		if err := c.allowed(rules); err != nil {
			return err
		}
	}
	return nil
}

// guard is what stands in a filter chain before its route.
type guard struct {
	tls  *tlsv3.DownstreamTlsContext // nil for none
	rbac []*rbacv3.RBAC
}

func guardOf(chain *listenerv3.FilterChain) guard {
	var g guard
	if socket := chain.GetTransportSocket(); socket != nil {
		context, ok := unpack(socket.GetTypedConfig()).(*tlsv3.DownstreamTlsContext)
		if !ok {
			panic("judge: a transport socket that is not TLS")
		}
		g.tls = context
	}
	for _, filter := range chain.GetFilters() {
		mustBeKnown(filter.GetName())
		switch config := unpack(filter.GetTypedConfig()).(type) {
		case *tcprbac.RBAC:
			g.rbac = append(g.rbac, config.GetRules())
		case *hcm.HttpConnectionManager:
			for _, f := range config.GetHttpFilters() {
				mustBeKnown(f.GetName())
				if f.GetTypedConfig().MessageIs(&httprbac.RBAC{}) {
					g.rbac = append(g.rbac, unpack(f.GetTypedConfig()).(*httprbac.RBAC).GetRules())
				}
			}
		}
	}
	return g
}

// deciding are parts of the names of filters that decide too, and that nothing
// here evaluates.
var deciding = regexp.MustCompile(`authz|jwt|wasm|lua|ratelimit|ext_proc`)

func mustBeKnown(filter string) {
	if deciding.MatchString(filter) {
		panic("judge: filter " + filter + " is not evaluated")
	}
}

// handshake evaluates the names that the downstream TLS context accepts.
func (c connection) handshake(context *tlsv3.DownstreamTlsContext) error {
	if context == nil {
		return nil
	}
	if c.identity == nil {
		if context.GetRequireClientCertificate().GetValue() {
			return fmt.Errorf("the handshake demands a certificate")
		}
		return nil
	}
	accepted := validation(context.GetCommonTlsContext())
	if len(accepted.GetMatchTypedSubjectAltNames()) > 0 {
		panic("judge: typed subject alternative names are not evaluated")
	}
	names := accepted.GetMatchSubjectAltNames() //nolint:staticcheck // what Istio generates
	for _, name := range names {
		if matches(name, c.identity.URI()) {
			return nil
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("the handshake refuses %s", c.identity.URI())
	}
	return nil
}

func validation(context *tlsv3.CommonTlsContext) *tlsv3.CertificateValidationContext {
	if combined := context.GetCombinedValidationContext(); combined != nil {
		return combined.GetDefaultValidationContext()
	}
	return context.GetValidationContext()
}

// allowed evaluates one RBAC filter.
func (c connection) allowed(rules *rbacv3.RBAC) error {
	if rules == nil {
		return nil // shadow rules only, or none at all: everything passes
	}
	for name, policy := range rules.GetPolicies() {
		if policy.GetCondition() != nil || policy.GetCheckedCondition() != nil {
			panic("judge: RBAC conditions are not evaluated")
		}
		if c.anyPermission(policy.GetPermissions()) && c.anyPrincipal(policy.GetPrincipals()) {
			switch rules.GetAction() {
			case rbacv3.RBAC_ALLOW:
				return nil
			case rbacv3.RBAC_DENY:
				return fmt.Errorf("RBAC denies by %s", name)
			}
		}
	}
	if rules.GetAction() == rbacv3.RBAC_ALLOW {
		return fmt.Errorf("no RBAC policy of %d allows it", len(rules.GetPolicies()))
	}
	return nil
}

func (c connection) anyPermission(permissions []*rbacv3.Permission) bool {
	for _, p := range permissions {
		if c.permits(p) {
			return true
		}
	}
	return false
}

func (c connection) permits(p *rbacv3.Permission) bool {
	switch rule := p.GetRule().(type) {
	case *rbacv3.Permission_Any:
		return rule.Any
	case *rbacv3.Permission_AndRules:
		for _, r := range rule.AndRules.GetRules() {
			if !c.permits(r) {
				return false
			}
		}
		return true
	case *rbacv3.Permission_OrRules:
		return c.anyPermission(rule.OrRules.GetRules())
	case *rbacv3.Permission_NotRule:
		return !c.permits(rule.NotRule)
	case *rbacv3.Permission_DestinationPort:
		return rule.DestinationPort == c.port
	case *rbacv3.Permission_RequestedServerName:
		return matches(rule.RequestedServerName, c.sni)
	case *rbacv3.Permission_Header:
		return c.header(rule.Header)
	default:
		panic(fmt.Sprintf("judge: permission %T is not evaluated", rule))
	}
}

func (c connection) header(h *routev3.HeaderMatcher) bool {
	if h.GetName() != ":authority" || h.GetStringMatch() == nil {
		panic("judge: header " + h.GetName() + " is not evaluated")
	}
	return matches(h.GetStringMatch(), c.host) != h.GetInvertMatch()
}

func (c connection) anyPrincipal(principals []*rbacv3.Principal) bool {
	for _, p := range principals {
		if c.is(p) {
			return true
		}
	}
	return false
}

func (c connection) is(p *rbacv3.Principal) bool {
	switch id := p.GetIdentifier().(type) {
	case *rbacv3.Principal_Any:
		return id.Any
	case *rbacv3.Principal_AndIds:
		for _, q := range id.AndIds.GetIds() {
			if !c.is(q) {
				return false
			}
		}
		return true
	case *rbacv3.Principal_OrIds:
		return c.anyPrincipal(id.OrIds.GetIds())
	case *rbacv3.Principal_NotId:
		return !c.is(id.NotId)
	case *rbacv3.Principal_Authenticated_:
		return c.identity != nil && (id.Authenticated.GetPrincipalName() == nil || matches(id.Authenticated.GetPrincipalName(), c.identity.URI()))
	case *rbacv3.Principal_FilterState:
		if id.FilterState.GetKey() != "io.istio.peer_principal" {
			panic("judge: filter state " + id.FilterState.GetKey() + " is not evaluated")
		}
		return c.identity != nil && matches(id.FilterState.GetStringMatch(), c.identity.URI())
	default:
		panic(fmt.Sprintf("judge: principal %T is not evaluated", id))
	}
}

func matches(m *matcherv3.StringMatcher, value string) bool {
	fold := func(s string) string {
		if m.GetIgnoreCase() {
			return strings.ToLower(s)
		}
		return s
	}
	value = fold(value)
	switch pattern := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		return value == fold(pattern.Exact)
	case *matcherv3.StringMatcher_Prefix:
		return strings.HasPrefix(value, fold(pattern.Prefix))
	case *matcherv3.StringMatcher_Suffix:
		return strings.HasSuffix(value, fold(pattern.Suffix))
	case *matcherv3.StringMatcher_Contains:
		return strings.Contains(value, fold(pattern.Contains))
	case *matcherv3.StringMatcher_SafeRegex:
		return regexp.MustCompile("^(?:" + pattern.SafeRegex.GetRegex() + ")$").MatchString(value)
	default:
		panic(fmt.Sprintf("judge: string match %T is not evaluated", pattern))
	}
}

// unpack returns the message in a box of one of the types that are linked in.
func unpack(box *anypb.Any) proto.Message {
	message, err := box.UnmarshalNew()
	if err != nil {
		return nil // a filter of Istio's own, which decides nothing here
	}
	return message
}
