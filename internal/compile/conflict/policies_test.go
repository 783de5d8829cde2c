package conflict_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Two policies conflict exactly where their claims overlap, said here by the
// policies alone, and each sees it from its side.
func TestPoliciesConflictWhereTheirClaimsOverlap(t *testing.T) {
	met := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		a, b := randomPolicy(rt, "payments"), randomPolicy(rt, "other")
		why := overlap(a, b)
		met[strings.SplitN(why, ":", 2)[0]]++
		for _, pair := range [][2]policy.Policy{{a, b}, {b, a}} {
			fatal := slices.DeleteFunc(conflict.Between(pair[0], pair[1], defaultMesh), func(c conflict.Conflict) bool { return !c.Fatal() })
			for _, c := range fatal {
				complete2(rt, c)
			}
			switch {
			case why == "" && len(fatal) > 0:
				rt.Errorf("%s meets %s, though their claims do not overlap: %q", pair[0].Name, pair[1].Name, told(fatal))
			case why != "" && len(fatal) == 0:
				rt.Errorf("%s does not meet %s: %s", pair[0].Name, pair[1].Name, why)
			}
		}
	})
	t.Logf("%v", met)
}

// complete2 wants what every conflict between policies has.
func complete2(t *rapid.T, c conflict.Conflict) {
	if !c.Movable || !c.Warning || c.Other == nil || len(c.Path) == 0 || !strings.Contains(c.Detail, "(policy ") {
		t.Errorf("%v: %s: %s", c.Path, c.Summary, c.Detail)
	}
}

// A policy never conflicts with itself: neither with its own objects, nor with
// those that the next version of it replaces.
func TestPolicyDoesNotConflictWithItself(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, prior := randomPolicy(rt, "payments"), randomPolicy(rt, "payments")
		for _, live := range []policy.Policy{p, prior} {
			in := conflict.Input{Policy: p, Mesh: defaultMesh, Holder: func(*unstructured.Unstructured) conflict.Holder {
				return conflict.Holder{Own: true, Ours: true, Name: "policy payments"}
			}}
			for _, object := range compiled(t, live, defaultMesh) {
				in.Live.Add(object)
			}
			if found := conflict.Check(in); len(found) > 0 {
				rt.Errorf("%q", told(found))
			}
		}
	})
}

// claim is what a policy asks for in a source namespace or on the gateway.
type claim struct {
	policy.From
	policy.To
	host string
}

func claims(p policy.Policy) []claim {
	var all []claim
	for _, rule := range p.EgressRules {
		for _, from := range rule.From {
			for _, to := range rule.To {
				for _, host := range to.Hosts {
					all = append(all, claim{from, to, host})
				}
			}
		}
	}
	return all
}

func (c claim) isHTTP() bool {
	return slices.Contains([]string{policy.HTTP, policy.HTTP2, policy.GRPC}, c.Port.Protocol)
}

func (c claim) isAddress() bool {
	_, err := netip.ParseAddr(c.host)
	return err == nil
}

// overlap says in what two policies cannot both hold; "" if they can.
func overlap(a, b policy.Policy) string {
	for _, x := range claims(a) {
		for _, y := range claims(b) {
			if x.Namespace != y.Namespace {
				continue
			}
			if why := meet(a, b, x, y); why != "" {
				return fmt.Sprintf("%s: %s and %s in %s", why, x.To.Name, y.To.Name, x.Namespace)
			}
		}
	}
	return overlapOnGateway(a, b)
}

// meet compares two claims of one namespace.
func meet(a, b policy.Policy, x, y claim) string {
	if x.host != y.host {
		if x.Port.Protocol == policy.TCP && y.Port.Protocol == policy.TCP && slices.ContainsFunc(listens(a, x), func(l string) bool { return slices.Contains(listens(b, y), l) }) {
			return "one address for two hosts"
		}
		return ""
	}
	routed := a.ByEgressGateway != nil && b.ByEgressGateway != nil
	switch {
	case routed && x.Port == y.Port && sharesWorkload(x.WorkloadSelector, y.WorkloadSelector):
		return "overlapping sources"
	case routed && strings.HasPrefix(x.host, "*") && (x.isHTTP() || y.isHTTP()):
		return "a wildcard host for requests"
	case unaddressed(a, x) || unaddressed(b, y):
		return "TCP without addresses"
	case way(a, x) != way(b, y):
		return "two ways for those who are not selected"
	case !slices.Equal(addresses(a, x), addresses(b, y)):
		return "two lists of addresses"
	case revision(a) != revision(b):
		return "two revisions"
	case x.Port.Number == y.Port.Number && x.Port.Protocol != y.Port.Protocol:
		return "two protocols"
	}
	return ""
}

// overlapOnGateway compares what two policies ask of the gateway.
func overlapOnGateway(a, b policy.Policy) string {
	if a.ByEgressGateway == nil || b.ByEgressGateway == nil {
		return ""
	}
	same := a.ByEgressGateway.Namespace == b.ByEgressGateway.Namespace
	for _, x := range claims(a) {
		for _, y := range claims(b) {
			xHost, xPort, xProtocol := upstream(x)
			yHost, yPort, yProtocol := upstream(y)
			switch {
			case same && xHost == yHost && revision(a) != revision(b):
				return "two revisions of an upstream"
			case same && xHost == yHost && xPort == yPort && xProtocol != yProtocol:
				return "two protocols of an upstream"
			case !same && a.ByEgressGateway.Name == b.ByEgressGateway.Name && x.ByEgressGateway != nil && y.ByEgressGateway != nil &&
				*x.ByEgressGateway == *y.ByEgressGateway && x.ByEgressGateway.Port >= 1024:
				return "one port of two gateways of one name"
			}
		}
	}
	return ""
}

func sharesWorkload(a, b map[string]string) bool {
	both := maps.Clone(a)
	if both == nil {
		return true
	}
	maps.Copy(both, b)
	for key, value := range a {
		if both[key] != value {
			return false
		}
	}
	return true
}

// way is where a policy lets workloads go that it does not select.
func way(p policy.Policy, c claim) string {
	switch {
	case p.ByEgressGateway != nil && p.UnselectedWorkloads == policy.Deny:
		return "nowhere"
	case len(addresses(p, c)) > 0:
		return "to the address"
	case p.ByEgressGateway == nil:
		return "to the name"
	}
	return "wherever they go"
}

func revision(p policy.Policy) string {
	if p.Revision == nil {
		return ""
	}
	return *p.Revision
}

// addresses are all that a policy gives a host in a namespace.
func addresses(p policy.Policy, c claim) []string {
	var all []string
	if c.isAddress() {
		all = append(all, c.host)
	}
	for _, other := range claims(p) {
		if other.Namespace == c.Namespace && other.host == c.host {
			all = append(all, other.Addresses...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unaddressed reports whether a policy has the host for TCP, by no address.
func unaddressed(p policy.Policy, c claim) bool {
	return len(addresses(p, c)) == 0 && slices.ContainsFunc(claims(p), func(other claim) bool {
		return other.Namespace == c.Namespace && other.host == c.host && other.Port.Protocol == policy.TCP
	})
}

// listens are the addresses and ports that lead to a host in a namespace.
func listens(p policy.Policy, c claim) []string {
	var all []string
	for _, address := range addresses(p, c) {
		all = append(all, fmt.Sprintf("%s %d", address, c.Port.Number))
	}
	return all
}

func upstream(c claim) (host string, port int64, protocol string) {
	host, port, protocol = c.host, c.Port.Number, c.Port.Protocol
	if c.ResolveTo != nil {
		host = *c.ResolveTo
	}
	if c.HTTPSUpgrade != nil {
		port = c.HTTPSUpgrade.Port
		if protocol == policy.HTTP {
			protocol = policy.HTTPS
		}
	}
	return host, port, protocol
}
