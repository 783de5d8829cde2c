package lab

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// Call and Answer are those of package sandbox.
type (
	Call   = sandbox.Call
	Answer = sandbox.Answer
)

// HTTP is a call to port 80 of a host.
func HTTP(host string) Call {
	return Call{Protocol: sandbox.HTTP, Address: net.JoinHostPort(host, "80")}
}

// HTTPS is a call to port 443 of a host.
func HTTPS(host string) Call {
	return Call{Protocol: sandbox.HTTPS, Address: net.JoinHostPort(host, "443")}
}

// TCP sends a line to a port of a host and waits for one.
func TCP(address string) Call { return Call{Protocol: sandbox.TCP, Address: address} }

// Handshake is mutual TLS with a port, under a server name and with the certificate of
// the pod.
func Handshake(address, sni string) Call {
	return Call{Protocol: sandbox.Mesh, Address: address, SNI: sni}
}

// Want is what a call has to come to.
type Want struct {
	// Status of the response; 0: there is none.
	Status int
	// Peers are the addresses of which the server has to see one; nil: no byte of the
	// call may reach a server.
	Peers []string
	// TLS: the call reaches the server over TLS.
	TLS bool
	// Text is part of what the client sees of a refusal.
	Text string
}

// Through: answered with a status (0 for TCP), the server sees one of these pods.
func Through(status int, pods ...Pod) Want {
	want := Want{Status: status, Peers: []string{}}
	for _, pod := range pods {
		want.Peers = append(want.Peers, pod.IP)
	}
	return want
}

// Answered: as Through, whoever the server sees.
func Answered(status int) Want { return Want{Status: status, Peers: []string{anyPeer}} }

const anyPeer = "any"

// OverTLS: and the call reaches the server over TLS.
func (w Want) OverTLS() Want {
	w.TLS = true
	return w
}

// Refused: nothing reaches a server, and the client sees a status (0 for a closed
// connection) and a text.
func Refused(status int, text string) Want { return Want{Status: status, Text: text} }

// Nowhere: nothing reaches a server, whatever the client sees of it.
func Nowhere() Want { return Want{Status: anyStatus} }

const anyStatus = -1

// match returns what is wrong with an answer.
func (w Want) match(a Answer, arrived []sandbox.Echo) string {
	switch {
	case a.Status != w.Status && w.Status != anyStatus:
		return fmt.Sprintf("status %d wanted", w.Status)
	case w.Peers == nil && (a.Echo != nil || len(arrived) > 0):
		return "it reached a server"
	case w.Peers == nil && !strings.Contains(a.String(), w.Text):
		return fmt.Sprintf("%q wanted", w.Text)
	case w.Peers == nil:
		return ""
	case a.Echo == nil:
		return "no server answered"
	case !slices.Contains(w.Peers, a.Echo.Peer) && !slices.Contains(w.Peers, anyPeer):
		return fmt.Sprintf("the server should see one of %v", w.Peers)
	case a.Echo.TLS != w.TLS:
		return fmt.Sprintf("over TLS: %t wanted", w.TLS)
	}
	return ""
}

// Call makes one call.
func (l *Lab) Call(ctx context.Context, from Pod, call Call) (Answer, []sandbox.Echo, error) {
	answer, arrived, err := l.mesh.Call(ctx, from.UID, call)
	if err != nil {
		return answer, nil, fmt.Errorf("%s: %w", from, err)
	}
	return answer, arrived, nil
}

// again is how often a call has to come to the same once it has come to what is
// wanted: connections of several workers of Envoy, and a configuration on its way,
// must not make a difference any more.
const again = 4

// Expect repeats a call until it comes to what is wanted, as the mesh takes a moment
// to learn what was applied, and then some times more. It returns the last answer and
// logs it.
func (l *Lab) Expect(from Pod, call Call, want Want) Answer {
	l.t.Helper()
	answer := l.ExpectOnce(from, call, want)
	for range again {
		var err error
		if answer, err = l.try(l.t.Context(), from, call, want); err != nil {
			l.t.Fatalf("%s calls %s once more: %v", from, call, err)
		}
	}
	l.t.Logf("%s calls %s: %s", from, call, answer)
	return answer
}

// ExpectOnce is Expect for what need not come again: which of several gateway pods
// takes a call is a matter of chance.
func (l *Lab) ExpectOnce(from Pod, call Call, want Want) Answer {
	l.t.Helper()
	var answer Answer
	l.Eventually(fmt.Sprintf("%s calls %s", from, call), func(ctx context.Context) (err error) {
		answer, err = l.try(ctx, from, call, want)
		return err
	})
	return answer
}

// try makes a call; the error says in what it differs from what is wanted.
func (l *Lab) try(ctx context.Context, from Pod, call Call, want Want) (Answer, error) {
	answer, arrived, err := l.Call(ctx, from, call)
	if err != nil {
		return answer, err
	}
	if wrong := want.match(answer, arrived); wrong != "" {
		return answer, fmt.Errorf("%s, but: %s", wrong, answer)
	}
	return answer, nil
}

// Settle waits until a call comes to what is wanted several times in a row. It is for a
// gateway of several pods, which learn of a change one after the other.
func (l *Lab) Settle(from Pod, call Call, want Want) {
	l.t.Helper()
	l.Eventually(fmt.Sprintf("%s calls %s again and again", from, call), func(ctx context.Context) error {
		for range 2 * again {
			if _, err := l.try(ctx, from, call, want); err != nil {
				return err
			}
		}
		return nil
	})
}
