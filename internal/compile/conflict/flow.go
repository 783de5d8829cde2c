package conflict

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// flow is what one source may reach: one host on one port.
type flow struct {
	// at is the path of the host, entry that of its entry.
	at, entry []any
	namespace string
	labels    map[string]string
	// host is the name by which the mesh knows it.
	host     string
	port     int64
	protocol string
}

// String returns host:port.
func (f flow) String() string { return f.host + ":" + strconv.FormatInt(f.port, 10) }

// workloads names the sources for people.
func (f flow) workloads() string {
	if len(f.labels) == 0 {
		return "the workloads of namespace " + f.namespace
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(f.labels)) {
		pairs = append(pairs, key+"="+f.labels[key])
	}
	return fmt.Sprintf("workloads %s of namespace %s", strings.Join(pairs, ","), f.namespace)
}

func flowsOf(p policy.Policy) []flow {
	var flows []flow
	eachEntry(p, func(path []any, rule policy.Rule, to policy.To) {
		for k, host := range to.Hosts {
			for _, from := range rule.From {
				flows = append(flows, flow{
					at: at(path, "hosts", k), entry: path,
					namespace: from.Namespace, labels: from.WorkloadSelector,
					host: policy.MeshHost(host), port: to.Port.Number, protocol: to.Port.Protocol,
				})
			}
		}
	})
	return flows
}

// eachEntry calls do with every entry, its path and its rule.
func eachEntry(p policy.Policy, do func(path []any, rule policy.Rule, to policy.To)) {
	for i, rule := range p.EgressRules {
		for j, to := range rule.To {
			do([]any{"egress_rules", i, "to", j}, rule, to)
		}
	}
}

// section is the part of a VirtualService that routes a protocol.
func section(protocol string) string {
	switch protocol {
	case policy.HTTP, policy.HTTP2, policy.GRPC:
		return "http"
	case policy.TCP:
		return "tcp"
	}
	return "tls"
}
