package adopt

import (
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// A DestinationRule says how a client speaks to a host: a sidecar to the
// gateway, or whoever is last to the host outside.
type destinationRule struct {
	*object

	host    string
	exports exports
	top     *settings
	subsets map[string]*subset
}

type subset struct {
	*part
	settings *settings
}

// settings are those of a trafficPolicy.
type settings struct {
	*part
	tls   *clientTLS
	ports map[int64]*portSettings
}

type portSettings struct {
	*part
	tls *clientTLS
}

// clientTLS is the TLS that a client begins.
type clientTLS struct {
	at         fields.Field
	rule       *destinationRule
	part       *part
	mode       string
	credential *string
	sni        *string
	names      []string
	skip       *bool
	files      []fields.Field
}

const idleSubset = "no route leads to this subset"

func readDestinationRule(o *object, otherwise []string) *destinationRule {
	dr := &destinationRule{object: o, subsets: map[string]*subset{}}
	s := fields.Root(&o.head.blocked, o.spec.Node, "spec").Object()
	dr.host = fullName(strings.ToLower(s.Take("host").RequiredText()), o.namespace)
	dr.exports = readExports(o, s.Take("exportTo"), otherwise)
	s.Take("workloadSelector").Refuse("it is for some clients only; what a policy sets is for all of its callers")
	dr.top = dr.readSettings(s.Take("trafficPolicy"))
	for _, element := range s.Take("subsets").List() {
		sub := &subset{part: dr.newPart(element, idleSubset)}
		e := sub.at.Object()
		name := e.Take("name").RequiredText()
		sub.lose(e.Take("labels"), "a policy does not choose among endpoints")
		sub.settings = dr.readSettings(e.Take("trafficPolicy"))
		e.Done()
		dr.subsets[name] = sub
	}
	s.Done()
	return dr
}

// readSettings reads a trafficPolicy. What it has beside TLS is how calls are
// spread and bounded, not who reaches what.
func (dr *destinationRule) readSettings(f fields.Field) *settings {
	t := &settings{part: dr.newPart(f, ""), ports: map[int64]*portSettings{}}
	o := t.at.Object()
	t.readCommon(o)
	t.tls = dr.readTLS(t.part, o.Take("tls"))
	for _, name := range []string{"tunnel", "proxyProtocol"} {
		o.Take(name).Refuse("calls are wrapped for a proxy in between; a policy leads them to the host itself")
	}
	for _, element := range o.Take("portLevelSettings").List() {
		p := &portSettings{part: dr.newPart(element, "no call goes to this port")}
		e := p.at.Object()
		port := e.Take("port").Object()
		number := port.Take("number").RequiredInteger()
		port.Done()
		p.readCommon(e)
		p.tls = dr.readTLS(p.part, e.Take("tls"))
		e.Done()
		t.ports[number] = p
	}
	o.Done()
	return t
}

func (p *part) readCommon(o *fields.Object) {
	for _, name := range []string{"connectionPool", "outlierDetection", "retryBudget"} {
		p.lose(o.Take(name), "a policy does not bound connections")
	}
	balancer := o.Take("loadBalancer").Object()
	// Which of a host's addresses takes its turn is all that `simple` says.
	balancer.Take("simple").Text()
	for _, other := range balancer.Rest() {
		p.lose(other, "a policy leaves it to Istio which of a host's addresses is next")
	}
}

func (dr *destinationRule) readTLS(p *part, f fields.Field) *clientTLS {
	if !f.There() {
		return nil
	}
	t := &clientTLS{at: f, rule: dr, part: p}
	o := f.Object()
	t.mode = modeDisable
	if mode := o.Take("mode").NonEmpty(); mode != nil {
		t.mode = *mode
	}
	t.credential = o.Take("credentialName").NonEmpty()
	t.sni = o.Take("sni").NonEmpty()
	t.names = o.Take("subjectAltNames").Texts()
	t.skip = o.Take("insecureSkipVerify").Boolean()
	for _, name := range []string{"clientCertificate", "privateKey", "caCertificates", "caCrl"} {
		if file := o.Take(name); file.There() && !file.Zero() {
			t.files = append(t.files, file)
		}
	}
	o.Done()
	return t
}

// chosen are the settings that hold for a port of a host, the narrowest first
// (pilot/pkg/networking/util, MergeTrafficPolicy).
type chosen struct {
	rule  *destinationRule
	parts []*part
	tls   *clientTLS
}

// choose returns what a rule says for a port and subset.
func (dr *destinationRule) choose(port int64, name string) (chosen, bool) {
	c := chosen{rule: dr, parts: []*part{dr.head}}
	levels := []*settings{dr.top}
	if name != "" {
		sub := dr.subsets[name]
		if sub == nil {
			return c, false
		}
		c.parts = append(c.parts, sub.part)
		levels = []*settings{sub.settings, dr.top}
	}
	for _, level := range levels {
		c.parts = append(c.parts, level.part)
		if p := level.ports[port]; p != nil {
			c.parts = append(c.parts, p.part)
			if c.tls == nil {
				c.tls = p.tls
			}
		}
	}
	for _, level := range levels {
		if c.tls == nil {
			c.tls = level.tls
		}
	}
	return c, true
}
