package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// maxLabel is the length of a DNS label, which bounds the names of Gateways
// and Services, of ports and subsets.
const maxLabel = 63

// hashChars is the length of the hash in a name.
const hashChars = 6

// serviceSuffix ends the name of a policy's Service.
const serviceSuffix = "-egw"

// privateSuffix ends the names that exist only inside the mesh: the server
// names of grants, and the hosts that stand for IP addresses. ICANN reserves
// `internal` for private use.
const privateSuffix = "egress.internal"

// ServiceName returns the name of a policy's Service in the gateway's namespace.
func ServiceName(policy string) string { return policy + serviceSuffix }

// GatewayName returns the name of the Gateway object that reserves a container
// port: all policies of one egress gateway meet at this name, so that creating
// the object is the reservation.
func GatewayName(gateway string, port int64) string {
	return gateway + "-" + strconv.FormatInt(port, 10)
}

// FromName returns the name of the AuthorizationPolicy that admits a source
// namespace to a gateway.
func FromName(gateway, namespace string) string { return gateway + "-from-" + namespace }

// objectName returns `<policy>-<part>-<hash>`, at most 63 characters. The hash
// covers what further tells the object apart, and the gateway's namespace:
// policies of one name behind gateways in two namespaces may share a source
// namespace.
func (l *layout) objectName(part string, more ...string) string {
	return shorten(l.policy.Name+"-"+part, hash(append([]string{l.scope(), l.policy.Name, part}, more...)...))
}

// subsetName returns the name of a DestinationRule subset on an upstream host.
// DestinationRules of several policies for one host merge, and of two subsets
// of one name the second is lost, so the name carries the policy. And it
// carries the port: when that changes, a route that still leads to the old one
// must find no cluster, rather than one without TLS.
func (l *layout) subsetName(e entry) string {
	return l.objectName(e.Name, strconv.FormatInt(e.HTTPSUpgrade.Port, 10))
}

// portName names the port of a server, and of the Service that leads to it. An
// `http-` name keeps HTTP/1.1 between sidecar and gateway; `http2-` and
// `grpc-` make it HTTP/2; `tcp-` leaves the bytes alone.
// Source: https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
func portName(protocol string, s server) string {
	prefix := "tcp"
	if isHTTP(protocol) {
		prefix = strings.ToLower(protocol)
	}
	return memberName(prefix, s.entry.Name, s.host)
}

// memberName names a port or a subset after an entry and, where each host has
// its own, the host: `<prefix>-<entry>[-<hash>]`.
func memberName(prefix, entry, host string) string {
	name := prefix + "-" + entry
	if host == "" && len(name) <= maxLabel {
		return name
	}
	return shorten(name, hash(entry, host))
}

// shorten returns `<name>-<hash>` with as much of the name as fits a label.
func shorten(name, hash string) string {
	name = strings.ReplaceAll(name, ".", "-")
	if room := maxLabel - 1 - len(hash); len(name) > room {
		name = name[:room]
	}
	return strings.TrimRight(name, "-") + "-" + hash
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:hashChars]
}

// slug writes a host as one DNS label, a different one for each host: a dot
// becomes a hyphen, a hyphen two, and only a wildcard gives three in a row. It
// may be longer than a label can be.
func slug(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return "tcp-" + addressSlug.Replace(ip.Unmap().StringExpanded())
	}
	return hostSlug.Replace(host)
}

// A Replacer is costly to build, and cheap to use.
var (
	addressSlug = strings.NewReplacer(".", "-", ":", "-")
	hostSlug    = strings.NewReplacer("*", "any--", "-", "--", ".", "-")
)

// MeshHost returns the name by which the mesh knows a host. ServiceEntries
// cannot have an IP address as host ("top level domain cannot be
// all-numeric"), so an address gets a name: the same in every policy, so that
// the entries of several policies for one address merge like those for a name.
func MeshHost(host string) string {
	if isIP(host) {
		return slug(host) + "." + privateSuffix
	}
	return host
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
