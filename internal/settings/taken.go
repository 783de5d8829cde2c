package settings

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// takenState has the ports that were taken on the pods of gateways.
type takenState struct {
	sync.Mutex
	byPods map[string]map[int64]string
}

// TakenPorts returns which ports of a gateway's pods are taken, and by whom. look
// says it of LISTs that this process keeps as it first saw them, so a gateway is
// looked at once: a thousand policies do not each go through the Gateways of all
// others. Nobody may change the answer.
func (p *Provider) TakenPorts(gateway compile.Reference, look func() (map[int64]string, error)) (map[int64]string, error) {
	pods := podsOf(gateway)
	p.taken.Lock()
	known, ok := p.taken.byPods[pods]
	p.taken.Unlock()
	if ok {
		return known, nil
	}
	// Not under the lock: who is here has a time limit of its own.
	taken, err := look()
	if err != nil {
		return nil, err
	}
	p.taken.Lock()
	defer p.taken.Unlock()
	if p.taken.byPods == nil {
		p.taken.byPods = map[string]map[int64]string{}
	}
	p.taken.byPods[pods] = taken
	return taken, nil
}

// podsOf says which pods a gateway's are. Neither a namespace nor a label has a
// blank in it.
func podsOf(gateway compile.Reference) string {
	selector := gateway.PodSelector()
	parts := []string{gateway.Namespace}
	for _, key := range slices.Sorted(maps.Keys(selector)) {
		parts = append(parts, key+"="+selector[key])
	}
	return strings.Join(parts, " ")
}
