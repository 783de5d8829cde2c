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
	// changes counts the instances whose plan changes something.
	changes int
}

// Planned is what one instance is planned to have.
type Planned struct {
	// Owner names the instance; its nonce does not matter.
	Owner cluster.Owner
	// Changes is set where the plan is to write something. Two instances that
	// are what they were do not see each other: a plan that does nothing costs
	// nothing, and there is nobody to blame.
	Changes bool
	// Keys are what others ask by: see Plan.
	Keys []string
	// Objects returns the objects that will be there, by key. It is called
	// when somebody asks for one of the keys, and once.
	Objects func() map[string][]*unstructured.Unstructured
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
		if before.Changes {
			p.planned.changes--
		}
	}
	p.planned.instances[id] = made
	for _, key := range plan.Keys {
		p.planned.byKey[key] = append(p.planned.byKey[key], made)
	}
	if made.Changes {
		p.planned.changes++
	}
}

// PlanChanges reports whether the plan of any instance so far changes
// something.
func (p *Provider) PlanChanges() bool {
	p.planned.Lock()
	defer p.planned.Unlock()
	return p.planned.changes > 0
}

// Beside is an object that another instance of this run is planned to have.
type Beside struct {
	Owner  cluster.Owner
	Object *unstructured.Unstructured
}

// PlannedBeside returns the objects under the keys that other instances of
// this run are planned to have, each once; for an instance that does not
// change, those of instances that do.
func (p *Provider) PlannedBeside(owner cluster.Owner, keys []string) []Beside {
	var found []Beside
	seen := map[*unstructured.Unstructured]bool{}
	under := p.plannedUnder(owner, keys)
	for _, key := range keys {
		for _, other := range under[key] {
			for _, object := range other.Objects()[key] {
				if !seen[object] {
					seen[object] = true
					found = append(found, Beside{other.Owner, object})
				}
			}
		}
	}
	return found
}

// PlannedHolders returns the other instances of this run that have claimed a
// key, in order.
func (p *Provider) PlannedHolders(owner cluster.Owner, key string) []cluster.Owner {
	var owners []cluster.Owner
	for _, other := range p.plannedUnder(owner, []string{key})[key] {
		owners = append(owners, other.Owner)
	}
	return owners
}

// plannedUnder returns who is to be compared with an instance, by key.
func (p *Provider) plannedUnder(owner cluster.Owner, keys []string) map[string][]*Planned {
	p.planned.Lock()
	defer p.planned.Unlock()
	own := p.planned.instances[instance{owner.Resource, owner.ImportID}]
	changes := own == nil || own.Changes
	others := map[string][]*Planned{}
	for _, key := range keys {
		for _, other := range p.planned.byKey[key] {
			if other != own && (changes || other.Changes) {
				others[key] = append(others[key], other)
			}
		}
	}
	return others
}
