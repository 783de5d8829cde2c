package settings

import (
	"sync"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// gatewayState has the gateways that this process has planned, by their pods.
type gatewayState struct {
	sync.Mutex
	byPods map[string]bool
}

// PlanGateway records that the run is to have a gateway, or has it.
func (p *Provider) PlanGateway(gateway compile.Reference) {
	p.gateways.Lock()
	defer p.gateways.Unlock()
	if p.gateways.byPods == nil {
		p.gateways.byPods = map[string]bool{}
	}
	p.gateways.byPods[podsOf(gateway)] = true
}

// PlansGateway reports whether the pods of a reference are those of a gateway that
// this process has planned. Core plans a gateway before what refers to it.
func (p *Provider) PlansGateway(gateway compile.Reference) bool {
	p.gateways.Lock()
	defer p.gateways.Unlock()
	return p.gateways.byPods[podsOf(gateway)]
}
