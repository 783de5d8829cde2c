package traffic_test

import (
	"fmt"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// grant is one that the cast's policy gives to the workload sleep-a alone.
type grant struct {
	call       lab.Call
	entry      string
	host       string
	istio      string // Istio's protocol of the port
	number     int
	anyAccount bool // the policy names no service account
}

// What callers see of a refusal, by protocol. HTTP has a proxy that answers.
var (
	closed = lab.Refused(0, "connection")
	// nobodyHome: the sidecar has no endpoint for those whom no rule selects.
	nobodyHome = lab.Refused(503, "no healthy upstream")
	// handshake: the gateway ends the TLS handshake of an identity that is not granted.
	handshake = lab.Refused(503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination")
	// rbac: the gateway's authorization refuses the namespace.
	rbac = lab.Refused(403, "RBAC: access denied")
	// undeclared: a host that nobody has declared, where only declared ones may be called.
	undeclared = lab.Refused(502, "")
)

// flags are those of the caller's sidecar in its access log.
var flags = map[string]string{nobodyHome.Text: "UH", handshake.Text: "UC", intruded.Text: "UF", rbac.Text: "-", undeclared.Text: "-"}

// expectRefused is Expect of a refusal, and of the flag that an HTTP call has in the log
// of the caller's sidecar then.
func (c *cast) expectRefused(from lab.Pod, call lab.Call, want lab.Want) {
	c.t.Helper()
	if answer := c.Expect(from, call, want); want.Status != 0 {
		c.expectFlag(from, answer, flags[want.Text])
	}
}

// refused lets everybody else make the call of a grant. From its middle on, the
// namespaces may call declared hosts only.
func (c *cast) refused(g grant) {
	http := g.call.Protocol == "http"
	answer := func(overHTTP lab.Want) lab.Want {
		if http {
			return overHTTP
		}
		return closed
	}
	port := c.gatewayPort(g.entry, g.host)
	c.run("unselected workload", func(c *cast) { c.expectRefused(c.unselected, g.call, answer(nobodyHome)) })
	if !g.anyAccount {
		c.run("selected labels and wrong service account", func(c *cast) { c.expectRefused(c.impostor, g.call, answer(handshake)) })
	}
	c.run("insider with the SNI of the grant", func(c *cast) {
		c.steal(g.host, g.istio, g.number, port, c.grantSNI(g.entry))
		want := handshake
		if g.anyAccount {
			want = rbac
		}
		c.expectRefused(c.insider, g.call, answer(want))
	})
	c.run("plaintext to the port of the gateway", func(c *cast) {
		plain := g.call
		plain.Address = fmt.Sprintf("%s:%d", c.gateway.IP, port)
		if http {
			plain.Host = g.host
		}
		for _, from := range []lab.Pod{c.granted, c.unselected, c.stranger} {
			c.Expect(from, plain, lab.Nowhere())
		}
	})
}

// fenced makes the calls that the mesh's outbound traffic policy decides about: those
// to what is not declared for the caller.
func (c *cast) fenced(g grant) {
	c.run("other namespace where anything may be called", func(c *cast) {
		want := lab.Through(map[string]int{"http": 301, "https": 200}[g.call.Protocol], c.stranger)
		want.TLS = g.call.Protocol == "https"
		c.Expect(c.stranger, g.call, want)
	})
	c.registryOnly(c.elsewhere, c.shop)
	if g.call.Protocol != "http" {
		c.run("other namespace where declared hosts may be called", func(c *cast) { c.Expect(c.stranger, g.call, closed) })
		return
	}
	// The gateway's own Service has an HTTP port 80: so there is a proxy that answers.
	c.run("other namespace where declared hosts may be called", func(c *cast) { c.expectRefused(c.stranger, g.call, undeclared) })
	c.run("spoofed Host and bare address", func(c *cast) {
		spoofed, bare := g.call, g.call
		spoofed.Host, bare.Host = "other.example", "203.0.113.10"
		for _, from := range []lab.Pod{c.granted, c.unselected} {
			c.Expect(from, spoofed, undeclared)
			c.Expect(from, bare, undeclared)
		}
	})
}
