package judge

import (
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pkg/config/constants"
)

// istioVersion is what the proxies say they are.
const istioVersion = "1.31.0"

// Sidecar returns a workload's proxy, as it introduces itself to istiod.
func (s *State) Sidecar(workload int) *model.Proxy {
	w := s.Workloads[workload]
	return &model.Proxy{
		Type:            model.SidecarProxy,
		ID:              w.Name + "." + w.Namespace,
		ConfigNamespace: w.Namespace,
		Labels:          w.Labels,
		IPAddresses:     []string{s.workloadIP(workload)},
		Metadata: &model.NodeMetadata{
			Namespace:      w.Namespace,
			Labels:         w.Labels,
			ServiceAccount: w.ServiceAccount,
			ClusterID:      constants.DefaultClusterName,
			IstioVersion:   istioVersion,
			DNSCapture:     model.StringBool(s.DNSCapture),
		},
	}
}

// Gateway returns a gateway's proxy, as it introduces itself to istiod.
func (s *State) Gateway(gateway int) *model.Proxy {
	ref := s.Gateways[gateway]
	return &model.Proxy{
		Type:            model.Router,
		ID:              ref.Name + "." + ref.Namespace,
		ConfigNamespace: ref.Namespace,
		Labels:          podLabels(ref),
		IPAddresses:     []string{s.gatewayIP(gateway)},
		Metadata: &model.NodeMetadata{
			Namespace:      ref.Namespace,
			Labels:         podLabels(ref),
			ServiceAccount: ref.Name,
			ClusterID:      constants.DefaultClusterName,
			IstioVersion:   istioVersion,
		},
	}
}
