package policy

// The protocols of `port.protocol`.
const (
	HTTP   = "HTTP"
	HTTP2  = "HTTP2"
	GRPC   = "GRPC"
	HTTPS  = "HTTPS"
	TLSSNI = "TLS"
	TCP    = "TCP"
)

// Protocols are the values that `port.protocol` takes.
func Protocols() []string { return []string{HTTP, HTTPS, TCP, HTTP2, GRPC, TLSSNI} }

// isHTTP reports whether the gateway sees the requests of the protocol. Their
// hosts are told apart by the Host header, so that one server does for all of
// an entry.
func isHTTP(protocol string) bool {
	return protocol == HTTP || protocol == HTTP2 || protocol == GRPC
}

// isTLS reports whether the workload speaks TLS, which passes through.
func isTLS(protocol string) bool { return protocol == HTTPS || protocol == TLSSNI }

// The sections of a VirtualService, by what a sidecar or gateway knows of a call.
const (
	SectionHTTP = "http"
	SectionTLS  = "tls"
	SectionTCP  = "tcp"
)

// Section is the section of a VirtualService that routes calls of a protocol.
// Protocols of Istio that `port.protocol` does not take, such as MONGO, are
// routed as TCP.
func Section(protocol string) string {
	switch {
	case isHTTP(protocol):
		return SectionHTTP
	case isTLS(protocol):
		return SectionTLS
	default:
		return SectionTCP
	}
}

// UnselectedWorkloads are the values of `unselected_workloads`.
const (
	// Deny gives workloads that no rule selects no way to the declared hosts.
	Deny = "deny"
	// Direct lets them reach the declared hosts past the gateway.
	Direct = "direct"
)

// The modes of `tls`.
const (
	Simple = "SIMPLE"
	Mutual = "MUTUAL"
)
