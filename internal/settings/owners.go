package settings

import (
	"sync"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
)

// ownersState holds who owns the instances that this process has refreshed.
type ownersState struct {
	sync.Mutex
	nonces map[instance]string
}

// instance is a resource instance as its import command names it.
type instance struct{ resource, id string }

// Remember records that a state of this run holds an instance.
func (p *Provider) Remember(owner cluster.Owner) {
	p.owners.Lock()
	defer p.owners.Unlock()
	if p.owners.nonces == nil {
		p.owners.nonces = map[instance]string{}
	}
	p.owners.nonces[instance{owner.Resource, owner.ImportID}] = owner.Nonce
}

// Remembered completes an owner with the nonce under which a state of this run
// holds the instance, if a refresh has seen it. It is for look-ups of a plan:
// core plans the successor of a tainted instance like something new, and the
// objects in its way are those that the same apply destroys first.
func (p *Provider) Remembered(owner cluster.Owner) cluster.Owner {
	p.owners.Lock()
	defer p.owners.Unlock()
	if nonce, ok := p.owners.nonces[instance{owner.Resource, owner.ImportID}]; ok {
		owner.Nonce = nonce
	}
	return owner
}
