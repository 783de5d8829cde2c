package adopt

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// A ServiceEntry says which hosts there are, and how they are reached where no
// VirtualService says otherwise. What it has beside hosts and ports tells how
// the host is found; a policy finds a name by DNS, and an address by itself.
type serviceEntry struct {
	*object

	hosts      []string
	exports    exports
	addresses  []string // single ones without /32
	ports      []*servicePort
	resolution string
	endpoints  []string
	// inside is set for a service of the mesh, which is no way out.
	inside bool

	addressesAt, resolutionAt, endpointsAt fields.Field
}

// servicePort is a port of a host.
type servicePort struct {
	*part

	number, target int64
	name           string
	protocol       string // of policy.Port, empty for one that it does not have
}

// The resolutions. The first is the zero value of the API.
const (
	resolutionNone   = "NONE"
	resolutionStatic = "STATIC"
	resolutionDNS    = "DNS"
)

func readServiceEntry(o *object, otherwise []string) *serviceEntry {
	se := &serviceEntry{object: o}
	s := fields.Root(&o.head.blocked, o.spec.Node, "spec").Object()
	se.hosts = lower(s.Take("hosts").Texts())
	se.exports = readExports(o, s.Take("exportTo"), otherwise)
	se.addressesAt = s.Take("addresses")
	for _, address := range se.addressesAt.Texts() {
		se.addresses = append(se.addresses, single(address))
	}
	location := s.Take("location")
	if text := location.NonEmpty(); text != nil {
		se.inside = *text == "MESH_INTERNAL"
		if !se.inside && *text != "MESH_EXTERNAL" {
			location.Fail("%q is no location that is known here", *text)
		}
	}
	se.resolutionAt = s.Take("resolution")
	se.resolution = resolutionNone
	if text := se.resolutionAt.NonEmpty(); text != nil {
		se.resolution = *text
	}
	se.endpointsAt = s.Take("endpoints")
	for _, element := range se.endpointsAt.List() {
		e := element.Object()
		se.endpoints = append(se.endpoints, strings.ToLower(e.Take("address").RequiredText()))
		// Which port of the endpoint a port leads to is read with the port.
		e.Take("ports")
		for _, name := range []string{"labels", "network", "locality", "weight", "serviceAccount"} {
			e.Take(name).Refuse("a policy reaches a host by its name or its address, without choosing among endpoints")
		}
		e.Done()
	}
	for _, element := range s.Take("ports").List() {
		se.ports = append(se.ports, se.readPort(element))
	}
	s.Take("workloadSelector").Refuse("pods of the cluster behind a host; a policy is for hosts outside of it")
	o.head.lose(s.Take("subjectAltNames"), "names of the server's certificate; an entry with https_upgrade has them in tls.subject_alt_names")
	s.Done()
	return se
}

// otherProtocols are those that a sidecar reads more of than a gateway does.
// Their bytes go through as TCP.
var otherProtocols = []string{"MONGO", "MYSQL", "REDIS"}

func (se *serviceEntry) readPort(f fields.Field) *servicePort {
	p := &servicePort{part: se.newPart(f, "")}
	o := p.at.Object()
	p.number = o.Take("number").RequiredInteger()
	p.target = p.number
	if target := o.Take("targetPort").Integer(); target != nil && *target != 0 {
		p.target = *target
	}
	name, protocol := o.Take("name"), o.Take("protocol")
	p.name = name.RequiredText()
	p.protocol = strings.ToUpper(protocol.RequiredText())
	switch {
	case slices.Contains(policy.Protocols(), p.protocol):
	case slices.Contains(otherProtocols, p.protocol):
		p.lose(protocol, "an entry has it as TCP: the same bytes, without the sidecar's statistics of the protocol")
		p.protocol = policy.TCP
	default:
		protocol.Fail("%q is no protocol of an entry", p.protocol)
		p.protocol = ""
	}
	o.Done()
	// endpoints[].ports moves a port by its name.
	for _, element := range se.endpointsAt.List() {
		ports, _ := element.Child("ports")
		moved, ok := ports.Child(p.name)
		if number := fields.Root(&p.blocked, moved.Node, moved.Path).Integer(); ok && number != nil {
			p.target = *number
		}
	}
	return p
}

// single writes a range of one address as that address.
func single(address string) string {
	if prefix, err := netip.ParsePrefix(address); err == nil && prefix.IsSingleIP() {
		return prefix.Addr().String()
	}
	return address
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}
