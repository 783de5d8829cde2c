package policy

import (
	"slices"

	networking "istio.io/api/networking/v1"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// An update writes object after object, and a call is decided by several of
// them: the labels by the mesh VirtualService, the identity by the Gateway,
// where it leaves by the gateway's VirtualService, what happens to everybody
// else by the source-side ServiceEntry. In the middle, some are of the old
// version and some of the new, and the two together must allow nothing that
// neither version allows.
//
// The rule: whatever decides about a call first gives up what the new version
// does not allow, then all else changes behind it, then it takes up what is
// new. An object that does both is written twice, first as what the two
// versions have in common. It is needed only where two parts of one decision
// change: a change of one part alone is one write. The order of the stages
// does for the rest: a way is complete before it is entered.
//
// What is written first goes from the workload to the gateway, as an object
// that gives something up relies on those before it to send no more.

// Version is a policy with the ports it has.
type Version struct {
	Policy Policy
	// Ports are the container ports, as in Objects.
	Ports map[string]int64
}

// Transition returns the objects of next, as Objects does, in the stages in
// which an update from prior may write them, and what has to be written first
// (see manifest.Updating). For most updates that is nothing.
//
// The ports of prior may be incomplete, as those of a create that failed are.
func Transition(prior, next Version, mesh compile.Mesh) (first, objects []manifest.Object, err error) {
	objects, err = Objects(next.Policy, mesh, next.Ports)
	if err != nil || prior.Policy.ByEgressGateway == nil || next.Policy.ByEgressGateway == nil {
		// Without a gateway there is one object for a host, which is replaced
		// at once.
		return nil, objects, err
	}
	t := newTransition(newLayout(prior.Policy, mesh), newLayout(next.Policy, mesh), prior.Ports, next.Ports)
	t.sources()
	t.routes()
	t.gatewayRoutes()
	t.gateways(objects)
	sortObjects(t.first)
	return t.first, objects, nil
}

// transition is an update of a policy behind a gateway.
type transition struct {
	old, new   *layout
	wasAt, at  map[string]int64 // ports by member
	missing    map[string]bool  // Gateways of old that have no port
	was        map[string]manifest.Object
	staying    map[manifest.ID]bool
	taken      map[place]map[tenant]bool
	entriesNew map[string]entry
	first      []manifest.Object
}

// place is where a sidecar sends a call: a port of the policy's Service.
type place struct {
	port   uint32
	subset string
}

// tenant is what listens at a place: other calls have no business there.
type tenant struct {
	entry, host string
	port        int64
	kind        string
}

func newTransition(prior, next *layout, wasAt, at map[string]int64) *transition {
	t := &transition{
		old: prior, new: next, at: at,
		was: map[string]manifest.Object{}, staying: map[manifest.ID]bool{},
		taken: map[place]map[tenant]bool{}, entriesNew: map[string]entry{},
	}
	t.wasAt, t.missing = prior.standIn(wasAt)
	for _, o := range prior.objects(t.wasAt) {
		t.was[o.ID().String()] = o
	}
	for _, o := range next.objects(at) {
		t.staying[o.ID()] = true
	}
	for _, e := range next.entries {
		t.entriesNew[e.Name] = e
		for _, host := range e.hosts {
			at := placeOf(next.toGateway(e, host, at))
			if t.taken[at] == nil {
				t.taken[at] = map[tenant]bool{}
			}
			t.taken[at][next.tenant(e, host)] = true
		}
	}
	return t
}

func placeOf(d *networking.Destination) place { return place{d.GetPort().GetNumber(), d.GetSubset()} }

func (l *layout) tenant(e entry, host string) tenant {
	_, srv := l.slotOf(e.Name, host)
	return tenant{entry: e.Name, host: srv.host, port: e.Port.Number, kind: Section(e.Port.Protocol)}
}

// add notes an object as the first write, unless it is what is there already.
func (t *transition) add(o manifest.Object) {
	was, ok := t.was[o.ID().String()]
	if !ok || holdsStandIn(was.Body.Object, t.missing) {
		return // it cannot be there yet
	}
	if !t.staying[o.ID()] || manifest.Canonical(was.Body) != manifest.Canonical(o.Body) {
		t.first = append(t.first, o)
	}
}

// remove notes an object of prior that has to go first.
func (t *transition) remove(kind, namespace, name string) {
	if o, ok := t.was[manifest.Key(kind, namespace, name)]; ok && !t.staying[o.ID()] {
		t.add(o)
	}
}

// sources closes the ServiceEntries through which everybody may go directly,
// before the routes change that lead the selected workloads away from them.
func (t *transition) sources() {
	if t.old.policy.UnselectedWorkloads != Direct {
		return // dead ends, whatever they have for ports
	}
	for _, namespace := range t.old.namespaces() {
		for _, host := range t.old.hostsFrom(namespace) {
			if !slices.Contains(t.new.hostsFrom(namespace), host) {
				continue // removed before its routes, as in every delete
			}
			before := t.old.portsOf(namespace, host)
			after := t.new.portsOf(namespace, host)
			spec := t.old.source(namespace, host)
			closed := false
			var kept []*networking.ServicePort
			for _, port := range spec.GetPorts() {
				was, is := before[port.GetNumber()], after[port.GetNumber()]
				if is.kind == "" {
					continue
				}
				kept = append(kept, port)
				// A route of another section is none on this port.
				closed = closed || is.kind != was.kind ||
					t.new.policy.UnselectedWorkloads != Direct && !covers(is.selectors, was.selectors)
			}
			switch {
			case closed || len(kept) == 0:
				spec.Resolution, spec.Endpoints = networking.ServiceEntry_STATIC, nil
			default:
				spec.Ports = kept
			}
			if closed || len(kept) < len(before) {
				t.add(t.old.serviceEntry(stageSource, namespace, host, spec))
			}
		}
	}
}

// portUse is what the entries of a source namespace make of a host's port.
type portUse struct {
	kind      string
	selectors []map[string]string
}

func (l *layout) portsOf(namespace, host string) map[uint32]portUse {
	all := map[uint32]portUse{}
	for _, e := range l.entriesFrom(namespace) {
		if !slices.Contains(e.hosts, host) {
			continue
		}
		use := all[uint32(e.Port.Number)]
		use.kind = Section(e.Port.Protocol)
		use.selectors = append(use.selectors, e.selectors(namespace)...)
		all[uint32(e.Port.Number)] = use
	}
	return all
}

// routes takes workloads off the ways on which they would meet parts of the
// new version that are not for them.
func (t *transition) routes() {
	for _, namespace := range t.old.namespaces() {
		for _, host := range t.old.hostsFrom(namespace) {
			legs := t.old.legs(namespace, host, t.wasAt)
			var narrow []leg
			var displaced bool
			for _, way := range legs {
				now, lost := t.common(way, namespace, host)
				displaced = displaced || lost
				narrow = append(narrow, now...)
			}
			o := t.old.meshRoute(namespace, host, narrow)
			if t.staying[o.ID()] {
				t.add(o)
			} else if displaced {
				t.remove("ServiceEntry", namespace, o.Body.GetName())
				t.remove("VirtualService", namespace, o.Body.GetName())
			}
		}
	}
}

// common returns what is left of a route during the update. displaced is set
// where the route has to go first: calls to another entry take its place, or it
// loses what its sidecars know the gateway by.
func (t *transition) common(way leg, namespace, host string) (legs []leg, displaced bool) {
	nowhere := way
	nowhere.destination = &networking.Destination{
		Host: way.destination.GetHost(), Port: way.destination.GetPort(), Subset: closedSubset,
	}
	tenants, used := t.taken[placeOf(way.destination)]
	if used && !tenants[t.old.tenant(way.entry, host)] {
		return []leg{nowhere}, true
	}
	e, stays := t.entriesNew[way.entry.Name]
	if !used || !stays {
		return []leg{way}, false // nothing else comes to that place
	}
	if t.losesIdentity(e, namespace) {
		return []leg{nowhere}, true
	}
	selectors := e.selectors(namespace)
	if !slices.Contains(e.hosts, host) || !slices.Contains(e.namespaces(), namespace) {
		selectors = nil
	}
	widened := !admitsAll(t.old.admitted(way.entry, namespace), t.new.admitted(e, namespace))
	moved := t.old.exit(way.entry, host) != t.new.exit(e, host)
	if covers(selectors, way.selectors) || !widened && !moved {
		return []leg{way}, false
	}
	both := way
	both.selectors = meet(way.selectors, selectors)
	if len(both.selectors) > 0 {
		legs = append(legs, both)
	}
	// Whoever drops out of the route falls to the ServiceEntry, and must not go
	// directly where another entry takes him on.
	if len(legs) == 0 || t.old.policy.UnselectedWorkloads == Direct && len(t.new.portsOf(namespace, host)[uint32(way.entry.Port.Number)].selectors) > len(selectors) {
		legs = append(legs, nowhere)
	}
	return legs, false
}

// losesIdentity reports whether the DestinationRule of a namespace is written anew
// without an entry: what was still sent there would go in plain text, to whoever
// has the gateway's labels.
func (t *transition) losesIdentity(e entry, namespace string) bool {
	return t.old.ref.UsesMutualTLS() && slices.Contains(t.new.namespaces(), namespace) && !slices.Contains(e.namespaces(), namespace)
}

// closedSubset is a subset that no DestinationRule has, so that there is no
// cluster of it, and calls to it fail.
const closedSubset = "closed"
