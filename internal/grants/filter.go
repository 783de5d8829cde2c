package grants

import (
	"slices"
	"strings"
)

// filter is what the attributes narrow the answer to; zero values do not.
type filter struct {
	namespaces []string
	// gateway is the name of a gateway, gatewayNamespace that of its namespace.
	gateway, gatewayNamespace string
	host                      string
}

// apply leaves the grants that match, and the problems that may be about them:
// those of their policies, and those that may hide grants.
func (f filter) apply(all Audit) Audit {
	var left Audit
	policies := map[string]bool{}
	for _, g := range all.Grants {
		if f.matches(g) {
			left.Grants = append(left.Grants, g)
			policies[g.Policy] = true
		}
	}
	for _, p := range all.Problems {
		if f.isZero() || p.Hides || policies[p.Policy] {
			left.Problems = append(left.Problems, p)
		}
	}
	return left
}

func (f filter) isZero() bool { return f.namespaces == nil && f.gateway == "" && f.host == "" }

func (f filter) matches(g Grant) bool {
	switch {
	case f.namespaces != nil && !slices.Contains(f.namespaces, g.Namespace):
		return false
	case f.gateway != "" && (g.Gateway == nil || g.Gateway.Name != f.gateway):
		return false
	case f.gatewayNamespace != "" && (g.Gateway == nil || g.Gateway.Namespace != f.gatewayNamespace):
		return false
	}
	return f.host == "" || covers(f.host, g.Host) || covers(g.Host, f.host)
}

// covers reports whether a host is the name, or one that the wildcard stands
// for: as Istio has it, of any depth.
func covers(pattern, host string) bool {
	pattern, host = strings.ToLower(pattern), strings.ToLower(host)
	suffix, isWildcard := strings.CutPrefix(pattern, "*.")
	return pattern == host || isWildcard && strings.HasSuffix(host, "."+suffix)
}
