package proxyview

import (
	"errors"
	"fmt"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// Istio's names of the clusters that take calls to undeclared hosts
// (istio.io/istio/pilot/pkg/networking/util).
const (
	// PassThrough sends them where they wanted to go: outbound traffic policy ALLOW_ANY.
	PassThrough = "PassthroughCluster"
	// BlackHole sends them nowhere: REGISTRY_ONLY.
	BlackHole = "BlackHoleCluster"
)

// Names of Istio's catch-all listener and of its filter chain for what no other
// listener takes (istio.io/istio/pilot/pkg/model/listener.go).
const (
	listenerType    = "type.googleapis.com/envoy.config.listener.v3.Listener"
	virtualOutbound = "virtualOutbound"
	catchAllChain   = "virtualOutbound-catchall-tcp"
)

// undeclaredCluster finds the cluster behind the catch-all filter chain.
func undeclaredCluster(listeners []*anypb.Any) (string, error) {
	for _, resource := range listeners {
		listener := &listenerv3.Listener{}
		if err := resource.UnmarshalTo(listener); err != nil {
			return "", fmt.Errorf("a pushed listener: %w", err)
		}
		if listener.GetName() != virtualOutbound {
			continue
		}
		for _, chain := range append(listener.GetFilterChains(), listener.GetDefaultFilterChain()) {
			if chain.GetName() == catchAllChain {
				return tcpCluster(chain)
			}
		}
		return "", fmt.Errorf("listener %s has no filter chain %s", virtualOutbound, catchAllChain)
	}
	return "", errors.New("no listener " + virtualOutbound + " was pushed")
}

func tcpCluster(chain *listenerv3.FilterChain) (string, error) {
	for _, filter := range chain.GetFilters() {
		proxy := &tcpproxyv3.TcpProxy{}
		if !filter.GetTypedConfig().MessageIs(proxy) {
			continue
		}
		if err := filter.GetTypedConfig().UnmarshalTo(proxy); err != nil {
			return "", fmt.Errorf("filter chain %s: %w", chain.GetName(), err)
		}
		return proxy.GetCluster(), nil
	}
	return "", fmt.Errorf("filter chain %s has no TCP proxy", chain.GetName())
}
