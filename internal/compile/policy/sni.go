package policy

import "strings"

// The name of a grant, which the sidecar sends as server name in its TLS
// handshake with the gateway:
//
//	[<host>.]<entry>.<policy>.<source namespace>.<gateway>.<gateway namespace>.egress.internal
//
// It is unique, so that servers which share a port never collide (of two
// servers with one name on a port the second is dropped with a log line only:
// pilot/pkg/model/gateway.go, CheckDuplicates). It is the requested server
// name in the gateway's access log, which so says by which policy a request
// was let through. And its end names the source namespace, which the
// AuthorizationPolicy `<gateway>-from-<namespace>` compares with the caller's
// certificate.

// maxName is the length of a DNS name, and of what TLS takes as server name.
const maxName = 253

// sni returns the name of the grant of one server to one source namespace.
// host is empty where the hosts of an entry share one server.
func (l *layout) sni(entry, host, namespace string) string {
	labels := []string{dnsLabel(entry), dnsLabel(l.policy.Name)}
	if host != "" {
		labels = append([]string{dnsLabel(slug(host))}, labels...)
	}
	suffix := l.sniSuffix(namespace)
	name := strings.Join(labels, ".") + "." + suffix
	if len(name) <= maxName {
		return name
	}
	// The end has to stay: the gateway's AuthorizationPolicy matches it.
	digest := hash(labels...)
	room := maxName - len(suffix) - len(".") - len(digest) - len("-")
	short := strings.TrimRight(dnsLabel(entry)[:min(room, len(dnsLabel(entry)))], "-.")
	return dnsLabel(short+"-"+digest) + "." + suffix
}

// sniSuffix is what the names of all grants to a namespace end in.
func (l *layout) sniSuffix(namespace string) string {
	return strings.Join([]string{namespace, dnsLabel(l.ref.Name), l.ref.Namespace, privateSuffix}, ".")
}

// dnsLabel cuts a label that is too long, and ends it in a hash of the whole.
func dnsLabel(label string) string {
	if len(label) <= maxLabel {
		return label
	}
	return shorten(label, hash(label))
}
