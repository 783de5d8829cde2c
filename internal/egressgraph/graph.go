package egressgraph

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// Grant is what is drawn of a grant.
type Grant struct {
	policy.Grant
	// Doubtful is whether objects of its policy are not as the policy wants them.
	Doubtful bool
}

// Graph is a picture. Everything in it is in the order of its texts, so equal
// sets of grants have equal pictures.
type Graph struct {
	// namespaces are boxes of workloads, gateways boxes of lanes.
	namespaces, gateways []*box
	hosts                []*node
	edges                []*edge
}

// box is a frame around nodes.
type box struct {
	id, title string
	nodes     []*node
}

// node is a workload, a lane of a gateway, or a host.
type node struct{ id, text string }

// edge leads from one node to another.
type edge struct {
	from, to *node
	// text says what is checked on the way, or what is called directly.
	text     string
	direct   bool
	doubtful bool
}

// New returns the picture of grants.
func New(grants []Grant) *Graph {
	b := builder{namespaces: boxes{}, gateways: boxes{}, hosts: nodes{}, edges: map[edge]*edge{}}
	for _, g := range grants {
		b.add(g)
	}
	graph := &Graph{
		namespaces: b.namespaces.sorted("n", "w"), gateways: b.gateways.sorted("g", "l"), hosts: b.hosts.sorted("h"),
	}
	for _, e := range b.edges {
		graph.edges = append(graph.edges, e)
	}
	slices.SortFunc(graph.edges, func(a, b *edge) int {
		return cmp.Or(order(a.from.id, b.from.id), order(a.to.id, b.to.id), strings.Compare(a.text, b.text))
	})
	return graph
}

// builder collects by its texts what is drawn once.
type builder struct {
	namespaces, gateways boxes
	hosts                nodes
	edges                map[edge]*edge
}

func (b builder) add(g Grant) {
	from := b.namespaces.of(g.Namespace).of(labelsOf(g.Grant))
	to := b.hosts.of(destination(g.Grant))
	if g.Gateway == nil {
		b.edge(edge{from: from, to: to, text: service(g.Grant), direct: true}, g.Doubtful)
		return
	}
	through := b.gateways.of(g.Gateway.String()).of(called(g.Grant))
	b.edge(edge{from: from, to: through, text: g.Checks()}, g.Doubtful)
	b.edge(edge{from: through, to: to}, false)
}

// edge draws an edge once: in doubt, if one of its grants is.
func (b builder) edge(e edge, doubtful bool) {
	if b.edges[e] == nil {
		drawn := e
		b.edges[e] = &drawn
	}
	b.edges[e].doubtful = b.edges[e].doubtful || doubtful
}

type (
	boxes map[string]nodes
	nodes map[string]*node
)

func (b boxes) of(title string) nodes {
	if b[title] == nil {
		b[title] = nodes{}
	}
	return b[title]
}

func (n nodes) of(text string) *node {
	if n[text] == nil {
		n[text] = &node{text: text}
	}
	return n[text]
}

// sorted numbers boxes and the nodes in them: no text of a grant is part of an id.
func (b boxes) sorted(prefix, inside string) []*box {
	var all []*box
	first := 1
	for _, title := range slices.Sorted(maps.Keys(b)) {
		inner := b[title].from(inside, first)
		first += len(inner)
		all = append(all, &box{id: fmt.Sprintf("%s%d", prefix, len(all)+1), title: title, nodes: inner})
	}
	return all
}

func (n nodes) sorted(prefix string) []*node { return n.from(prefix, 1) }

func (n nodes) from(prefix string, first int) []*node {
	var all []*node
	for _, text := range slices.Sorted(maps.Keys(n)) {
		n[text].id = fmt.Sprintf("%s%d", prefix, first+len(all))
		all = append(all, n[text])
	}
	return all
}

// order compares ids by their numbers.
func order(a, b string) int {
	return cmp.Or(strings.Compare(a[:1], b[:1]), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// labelsOf is the text of a workload in the box of its namespace.
func labelsOf(g policy.Grant) string {
	if len(g.WorkloadSelector) == 0 {
		return "all workloads"
	}
	return strings.TrimPrefix(g.Source(), g.Namespace+"/")
}

// destination is where the calls of a grant end.
func destination(g policy.Grant) string {
	switch {
	case g.ResolveTo != "":
		return g.ResolveTo
	case len(g.Addresses) > 0:
		return g.Host + " at " + strings.Join(g.Addresses, " or ")
	}
	return g.Host
}

// service is what is called, and how the gateway passes it on.
func service(g policy.Grant) string {
	text := fmt.Sprintf(":%d %s", g.Port, g.Protocol)
	if g.UpgradedTo != 0 {
		text += fmt.Sprintf(", TLS to :%d", g.UpgradedTo)
		if g.Unverified {
			text += ", certificate not checked"
		}
	}
	return text
}

// called is the text of a lane. With where the calls end it tells lanes of one
// wildcard apart.
func called(g policy.Grant) string {
	host := g.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	text := host + service(g)
	if g.ResolveTo != "" {
		text += ", resolved to " + g.ResolveTo
	}
	return text
}
