package scenario

import (
	"fmt"
	"hash/fnv"
	"net/netip"
)

// Protocol is what a workload speaks.
type Protocol string

// The protocols of calls.
const (
	HTTP  Protocol = "HTTP"
	HTTP2 Protocol = "HTTP2"
	TLS   Protocol = "TLS"
	TCP   Protocol = "TCP"
)

// Call is one attempt of a workload to reach something outside, through its
// sidecar.
type Call struct {
	// Kind says which sort of attempt it is; it is only printed and counted.
	Kind string
	// From is the index of the workload.
	From     int
	Protocol Protocol
	// Dial is the name or address that is dialled, Port its port.
	Dial string
	Port int64
	// Name is the Host header or the server name that is sent.
	Name string
}

func (c Call) String() string {
	return fmt.Sprintf("%s: workload %d, %s to %s:%d as %q", c.Kind, c.From, c.Protocol, c.Dial, c.Port, c.Name)
}

// Identity is what a workload's certificate says.
type Identity struct {
	TrustDomain, Namespace, ServiceAccount string
}

// URI returns the SPIFFE identity.
func (i Identity) URI() string {
	return "spiffe://" + i.TrustDomain + "/ns/" + i.Namespace + "/sa/" + i.ServiceAccount
}

// Straight is one attempt to use a gateway without being sent there: past the
// sidecar, by dialling the gateway's pod.
type Straight struct {
	Kind    string
	Gateway int
	// As is whose certificate is shown.
	As   Identity
	Port int64
	// Mutual is whether mutual TLS is spoken, with SNI as server name;
	// otherwise the inner protocol goes to the port as it is.
	Mutual bool
	SNI    string
	// Protocol and Name are what is spoken inside.
	Protocol Protocol
	Name     string
}

func (s Straight) String() string {
	return fmt.Sprintf("%s: %s straight to port %d of gateway %d (mutual TLS %t, server name %q), %s as %q",
		s.Kind, s.As.URI(), s.Port, s.Gateway, s.Mutual, s.SNI, s.Protocol, s.Name)
}

// Exit is a way in which bytes leave the mesh.
type Exit struct {
	// Via is the gateway, "namespace/name"; empty for a sidecar.
	Via string
	// Host is the name or the address that is dialled.
	Host string
	Port int64
	// TLS is the TLS that the proxy adds.
	TLS Origination
}

func (e Exit) String() string {
	via, tls := "directly", "as it is"
	if e.Via != "" {
		via = "via " + e.Via
	}
	if e.TLS != (Origination{}) {
		tls = fmt.Sprintf("%+v", e.TLS)
	}
	return fmt.Sprintf("%s to %s:%d, %s", via, e.Host, e.Port, tls)
}

// Origination is TLS that a proxy speaks to the outside; the zero value is
// none.
type Origination struct {
	// Mode is SIMPLE or MUTUAL.
	Mode string
	SNI  string
	// Names are the certificate names that are accepted, joined by commas;
	// "" is any.
	Names string
	// CA is "system", the name of the credential it comes from, or "none".
	CA string
	// Certificate is the credential of the client certificate.
	Certificate string
}

// Outcome is what became of a call.
type Outcome struct {
	// Exits are the ways in which it may leave; none if it does not.
	Exits []Exit
	// Hop is how the sidecar went to a gateway, nil if it did not.
	Hop *Hop
	// Trace says, step by step, how it came to this.
	Trace []string
}

// Hop is a connection from a sidecar to a gateway.
type Hop struct {
	// Gateway is the index of the gateway.
	Gateway int
	Port    int64
	Mutual  bool
	SNI     string
}

// address gives each name an address of its own in a range of the Internet
// that nothing else of a scenario lies in.
func address(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(host))
	sum := h.Sum32()
	return netip.AddrFrom4([4]byte{151, byte(sum >> 16), byte(sum >> 8), byte(sum)}).String()
}
