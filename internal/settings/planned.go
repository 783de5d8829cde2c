package settings

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
)

// plannedState holds what the instances that this process has planned are to
// have in the cluster. Core plans instances concurrently and in any order, so
// of two that collide whoever is planned second sees the first.
type plannedState struct {
	sync.Mutex
	instances map[instance]*Planned
	byKey     map[string][]*Planned
}

// Planned is what one instance is planned to have.
type Planned struct {
	// Owner names the instance; its nonce does not matter.
	Owner cluster.Owner
	// Changes is set where the plan is to write something.
	Changes bool
	// Keys are what others ask by: see Plan.
	Keys []string
	// Objects returns the objects that will be there. It is called when
	// somebody asks for one of the keys, and once.
	Objects func() []*unstructured.Unstructured
}

// Plan records what an instance is planned to have, in place of what it was
// before: core plans an instance again where it replaces it, and during apply.
func (p *Provider) Plan(plan Planned) {
	plan.Objects = sync.OnceValue(plan.Objects)
	made := &plan
	p.planned.Lock()
	defer p.planned.Unlock()
	if p.planned.instances == nil {
		p.planned.instances, p.planned.byKey = map[instance]*Planned{}, map[string][]*Planned{}
	}
	id := instance{plan.Owner.Resource, plan.Owner.ImportID}
	if before := p.planned.instances[id]; before != nil {
		for _, key := range before.Keys {
			p.planned.byKey[key] = slices.DeleteFunc(p.planned.byKey[key], func(other *Planned) bool { return other == before })
		}
	}
	p.planned.instances[id] = made
	for _, key := range plan.Keys {
		p.planned.byKey[key] = append(p.planned.byKey[key], made)
	}
}

// PlannedBeside returns the other instances of this run that are planned to
// have something under one of the keys, each once.
func (p *Provider) PlannedBeside(owner cluster.Owner, keys []string) []*Planned {
	p.planned.Lock()
	defer p.planned.Unlock()
	own := p.planned.instances[instance{owner.Resource, owner.ImportID}]
	seen := map[*Planned]bool{own: true}
	var others []*Planned
	for _, key := range keys {
		for _, other := range p.planned.byKey[key] {
			if !seen[other] {
				seen[other] = true
				others = append(others, other)
			}
		}
	}
	return others
}
