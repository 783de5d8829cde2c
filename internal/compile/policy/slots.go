package policy

import (
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// Which container ports a policy needs:
//
//   - An HTTP entry one for all its hosts, an entry of another protocol one
//     for each host: route, authorization and log line are then addressed by
//     the port alone, and the client side needs no subsets, of which each
//     would cost a cluster per Service port in every sidecar.
//   - Entries that name the same `by_egress_gateway.port` share one, and so do
//     the hosts of an entry that names a port; there the server name that the
//     sidecar sends picks the server.
//
// An explicit port from 1024 up is the container port as well. One below is
// the port of the Service only, since gateways skip servers on privileged
// ports (istio/istio#38295).

// Slots returns the container ports that a policy needs, in the order of
// their keys; none for a direct policy.
func Slots(p Policy) []ports.Slot {
	var all []ports.Slot
	for _, s := range newLayout(p, compile.Mesh{}).slots {
		all = append(all, s.Slot)
	}
	return all
}

// SlotID returns the name of a slot among all policies of the cluster, from
// which its candidates are derived.
func SlotID(p Policy, slot ports.Slot) string {
	namespace, name := Identity(p)
	return namespace + "/" + name + "/" + slot.Key
}

func makeSlots(entries []entry) []slot {
	var all []slot
	shared := map[int64]int{} // explicit port -> index in all
	for _, e := range entries {
		if e.ByEgressGateway == nil {
			for _, s := range e.servers() {
				key := e.Name
				if s.host != "" {
					key += "/" + s.host
				}
				all = append(all, slot{Slot: ports.Slot{Key: key, Members: []string{key}}, servers: []server{s}})
			}
			continue
		}
		port := e.ByEgressGateway.Port
		index, ok := shared[port]
		if !ok {
			index = len(all)
			shared[port] = index
			all = append(all, slot{Slot: ports.Slot{Key: e.Name, Service: port, Explicit: containerPort(port)}})
		}
		all[index].Members = append(all[index].Members, e.Name)
		all[index].servers = append(all[index].servers, e.servers()...)
	}
	return all
}

// containerPort returns the container port that an explicit port stands for;
// 0 if one is to be assigned.
func containerPort(explicit int64) int64 {
	if explicit >= ports.Unprivileged && !ports.Reserved(explicit) {
		return explicit
	}
	return 0
}

// servers returns the servers of an entry.
func (e entry) servers() []server {
	if isHTTP(e.Port.Protocol) {
		return []server{{entry: e, hosts: e.hosts}}
	}
	var all []server
	for _, host := range e.hosts {
		all = append(all, server{entry: e, host: host, hosts: []string{host}})
	}
	return all
}

// servicePort returns the port of the policy's Service that leads to the slot.
func (s slot) servicePort(container int64) int64 {
	if s.Service != 0 {
		return s.Service
	}
	return container
}

// needsSubsets reports whether one port of the Service leads to several
// servers, so that a subset has to say which server name the sidecar sends.
func (s slot) needsSubsets() bool { return len(s.servers) > 1 }

// subset names the DestinationRule subset of a server on the policy's Service.
func (s server) subset() string { return memberName("to", s.entry.Name, s.host) }

// slotOf returns the slot and server that take an entry's calls for a host.
func (l *layout) slotOf(entryName, host string) (slot, server) {
	for _, s := range l.slots {
		for _, candidate := range s.servers {
			if candidate.entry.Name == entryName && slices.Contains(candidate.hosts, host) {
				return s, candidate
			}
		}
	}
	panic("policy: no slot for " + entryName + "/" + host)
}

// LivePorts restores `gateway_ports` from the live Gateway objects of a
// policy: those in the gateway's namespace that carry the policy's label.
func LivePorts(p Policy, gateways []*unstructured.Unstructured) map[string]int64 {
	found := map[string]int64{}
	for _, slot := range Slots(p) {
		for _, gateway := range gateways {
			if gateway.GetLabels()[compile.LabelPolicy] != p.Name || gateway.GetNamespace() != p.ByEgressGateway.Namespace {
				continue
			}
			var members []string
			if json.Unmarshal([]byte(gateway.GetAnnotations()[compile.AnnotationEntries]), &members) != nil {
				continue
			}
			port, ok := serverPort(gateway)
			if ok && port != 0 && slices.Contains(members, slot.Key) && gateway.GetName() == GatewayName(p.ByEgressGateway.Name, port) {
				slot.Set(found, port)
			}
		}
	}
	return found
}

// serverPort returns the port number of the first server of a Gateway.
func serverPort(gateway *unstructured.Unstructured) (int64, bool) {
	for _, server := range nestedMaps(gateway, "spec", "servers") {
		port, found, err := unstructured.NestedInt64(server, "port", "number")
		return port, found && err == nil
	}
	return 0, false
}
