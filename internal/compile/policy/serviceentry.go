package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Two ServiceEntries for each host, both private to their namespace.
//
// The upstream one, in the gateway's namespace, is how the gateway reaches the
// host: by DNS, or at its address.
//
// The source-side one, in each source namespace, makes the host known there,
// and is a dead end: STATIC without endpoints is a cluster without hosts. What
// no VirtualService match selects falls through to it, and gets 503 or a
// reset: when no match of a VirtualService selects a workload, the whole
// VirtualService vanishes for it, and the default route of the ServiceEntry is
// used (pilot/pkg/networking/core/route/route.go; istio/istio#60367, #51314).
// `unselected_workloads = "direct"` makes it passable.
//
// Istio merges the ports of two ServiceEntries of one host only if namespace,
// resolution, labels and exportTo are equal (pilot/pkg/model/sidecar.go,
// canMergeServices); else the second is lost. So they carry the same labels
// in every policy, and nothing of the policy but the name.

// upstreams returns the upstream ServiceEntries, one for each host.
func (l *layout) upstreams() []manifest.Object {
	type upstream struct {
		ports   map[int64]string // number -> protocol
		address string           // of an IP address
	}
	byHost := map[string]*upstream{}
	for _, e := range l.entries {
		number, protocol := e.upstreamPort()
		for _, host := range e.hosts {
			name := e.upstreamHost(host)
			if byHost[name] == nil {
				byHost[name] = &upstream{ports: map[int64]string{}}
			}
			byHost[name].ports[number] = protocol
			if isIP(host) && e.ResolveTo == nil {
				byHost[name].address = host
			}
		}
	}
	var objects []manifest.Object
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		up := byHost[host]
		spec := &networking.ServiceEntry{Hosts: []string{host}, Resolution: networking.ServiceEntry_DNS}
		if up.address != "" {
			spec.Resolution = networking.ServiceEntry_STATIC
			spec.Endpoints = []*networking.WorkloadEntry{{Address: up.address}}
		}
		for _, number := range slices.Sorted(maps.Keys(up.ports)) {
			protocol := up.ports[number]
			spec.Ports = append(spec.Ports, &networking.ServicePort{
				Number: uint32(number), Protocol: protocol,
				Name: fmt.Sprintf("%s-%d", strings.ToLower(protocol), number),
			})
		}
		named := host
		if up.address != "" {
			named = up.address
		}
		objects = append(objects, l.serviceEntry(stageUpstream, l.ref.Namespace, named, spec))
	}
	return objects
}

// sources returns the source-side ServiceEntries, one for each source
// namespace and host.
func (l *layout) sources() []manifest.Object {
	var objects []manifest.Object
	for _, namespace := range l.namespaces() {
		for _, host := range l.hostsFrom(namespace) {
			spec := l.source(namespace, host)
			objects = append(objects, l.serviceEntry(stageSource, namespace, host, spec))
		}
	}
	if l.direct() && len(objects) > 0 {
		first := slices.MinFunc(objects, func(a, b manifest.Object) int { return strings.Compare(a.Key, b.Key) })
		first.Body.SetAnnotations(map[string]string{compile.AnnotationSpec: Spec(l.policy)})
	}
	return objects
}

// source returns the spec of a source-side ServiceEntry.
func (l *layout) source(namespace, host string) *networking.ServiceEntry {
	spec := &networking.ServiceEntry{Hosts: []string{MeshHost(host)}}
	var tcp bool
	var resolveTo string
	byNumber := map[int64]*networking.ServicePort{}
	for _, e := range l.entriesFrom(namespace) {
		if !slices.Contains(e.hosts, host) {
			continue
		}
		spec.Addresses = append(spec.Addresses, e.Addresses...)
		tcp = tcp || e.Port.Protocol == TCP
		if e.ResolveTo != nil {
			resolveTo = *e.ResolveTo
		}
		byNumber[e.Port.Number] = &networking.ServicePort{
			Number: uint32(e.Port.Number), Protocol: e.Port.Protocol,
			Name: fmt.Sprintf("%s-%d", e.Port.Name, e.Port.Number),
		}
	}
	if isIP(host) {
		spec.Addresses = append(spec.Addresses, host)
	}
	spec.Addresses = distinct(spec.Addresses)
	for _, number := range slices.Sorted(maps.Keys(byNumber)) {
		spec.Ports = append(spec.Ports, byNumber[number])
	}
	switch {
	case !l.direct() && l.policy.UnselectedWorkloads != Direct:
		spec.Resolution = networking.ServiceEntry_STATIC
	case len(spec.Addresses) > 0:
		// To the address that the workload dialled: the listener takes no
		// others. By DNS ranges are refused.
		spec.Resolution = networking.ServiceEntry_NONE
	case l.direct() && resolveTo != "":
		spec.Resolution = networking.ServiceEntry_DNS
		spec.Endpoints = []*networking.WorkloadEntry{{Address: resolveTo}}
	case l.direct() || tcp:
		// A TCP listener of a name without addresses takes every call to its
		// port; by DNS these at least end at the declared host.
		spec.Resolution = networking.ServiceEntry_DNS
	default:
		spec.Resolution = networking.ServiceEntry_NONE
	}
	return spec
}

// serviceEntry completes a ServiceEntry and writes the enums that are zero.
func (l *layout) serviceEntry(stage int, namespace, host string, spec *networking.ServiceEntry) manifest.Object {
	spec.ExportTo = []string{"."}
	labels := l.baseLabels()
	if stage == stageUpstream || !needsVirtualAddress(spec) {
		labels[compile.LabelAutoAllocateIP] = "false"
	}
	return object(stage, istioBody(networkingV1, "ServiceEntry", meta{
		name: l.objectName(slug(host)), namespace: namespace, labels: labels,
	}, spec, func(fields map[string]any) {
		fields["location"] = "MESH_EXTERNAL"
		fields["resolution"] = spec.Resolution.String()
	}))
}

// needsVirtualAddress reports whether a name can be told from others by its
// address alone. Where DNS is captured, istiod's virtual address does that;
// where it is not, the listener takes the whole port.
//
// Elsewhere a virtual address does harm: each ServiceEntry of a host gets one
// of its own, DNS answers with one of them, and the chain of another
// ServiceEntry no longer matches. And a workload that dials the real address
// with a declared server name would go past the dead end.
func needsVirtualAddress(spec *networking.ServiceEntry) bool {
	return len(spec.Addresses) == 0 && slices.ContainsFunc(spec.Ports, func(port *networking.ServicePort) bool {
		return port.Protocol == TCP
	})
}
