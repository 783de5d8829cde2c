package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Protocols of a call.
const (
	HTTP  = "http"
	HTTPS = "https"
	TCP   = "tcp"
	// Mesh is the handshake of mutual TLS, with the certificate of the pod.
	Mesh = "mesh"
)

// Call is what a workload is asked to do: one connection, one request.
type Call struct {
	Protocol string
	// Address is host:port, as the workload dials it. A name is resolved by the lab's
	// name server.
	Address string
	// Host is the Host header of HTTP and HTTPS; default: the host in Address.
	Host string `json:",omitempty"`
	// SNI of HTTPS and of the mesh; default: Host.
	SNI string `json:",omitempty"`
	// ID is handed to the server, which remembers it.
	ID string
	// Timeout; default: ten seconds.
	Timeout time.Duration `json:",omitempty"`
}

// String is the call as a reader of a log wants it.
func (c Call) String() string {
	text := c.Protocol + "://" + c.Address
	if c.Host != "" {
		text += " Host " + c.Host
	}
	if c.SNI != "" {
		text += " SNI " + c.SNI
	}
	return text
}

// Echo is what a server outside says of a call that it has answered.
type Echo struct {
	// Server is the address, with port, that was called.
	Server string
	// Peer is the address, without port, that called it.
	Peer string
	// Host header and SNI that arrived there.
	Host, SNI string `json:",omitempty"`
	// TLS tells whether the call came over TLS.
	TLS bool
	ID  string
}

// Answer is what the workload got.
type Answer struct {
	// ID of the call.
	ID string
	// Status of HTTP and HTTPS; 0 when there was no response.
	Status int
	// Body is the body of a response that is not the server's echo: what a proxy said.
	Body string `json:",omitempty"`
	// Location is where a redirection leads.
	Location string `json:",omitempty"`
	// Echo is the server's own answer; nil when no server outside has answered.
	Echo *Echo `json:",omitempty"`
	// Identities are the URIs in the certificate of the peer of a mesh handshake.
	Identities []string `json:",omitempty"`
	// Error is what went wrong where there is no response, in the system's words and
	// without addresses.
	Error string `json:",omitempty"`
}

// String is what the client saw, on one line.
func (a Answer) String() string {
	var parts []string
	if a.Status != 0 {
		parts = append(parts, fmt.Sprint(a.Status))
	}
	if a.Echo != nil {
		echo, _ := json.Marshal(a.Echo)
		parts = append(parts, "answered outside: "+string(echo))
	}
	parts = append(parts, a.Identities...)
	if a.Body != "" {
		parts = append(parts, a.Body)
	}
	if a.Error != "" {
		parts = append(parts, a.Error)
	}
	return strings.Join(parts, " ")
}
