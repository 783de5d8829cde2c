package generate

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/test/simulation/scenario"
)

// Tally counts what became of the policies that were drawn.
type Tally struct {
	// Fit is how many are valid and can be with the others of their mesh.
	Fit int
	// Invalid are refused on their own, Refused beside others: by what the user
	// would be told.
	Invalid, Refused map[string]int
}

// NewTally returns an empty one.
func NewTally() *Tally { return &Tally{Invalid: map[string]int{}, Refused: map[string]int{}} }

func (t *Tally) count(invalid, refused string) {
	switch {
	case t == nil:
	case invalid != "":
		t.Invalid[invalid]++
	case refused != "":
		t.Refused[refused]++
	default:
		t.Fit++
	}
}

// RefusedShare returns the part of the policies valid on their own that is
// refused beside others.
func (t *Tally) RefusedShare() float64 {
	refused := 0
	for n := range maps.Values(t.Refused) {
		refused += n
	}
	return float64(refused) / float64(max(1, refused+t.Fit))
}

// Invalid returns why a policy is refused on its own; "" if it is valid.
func Invalid(settings scenario.Settings, p policy.Policy) string {
	for _, problem := range policy.Validate(p, settings.Mesh()) {
		if !problem.Warning {
			return problem.Summary
		}
	}
	return ""
}

// Refused returns why a valid policy cannot be beside what lives; "" if it can.
func Refused(settings scenario.Settings, p policy.Policy, live conflict.Live) string {
	if p.ByEgressGateway != nil {
		// The Gateway object of a port is its reservation.
		taken := policy.TakenPorts(*p.ByEgressGateway, live.Gateways, live.Services)
		for _, slot := range policy.Slots(p) {
			if _, ok := taken[slot.Explicit]; ok {
				return "Port of the gateway is taken"
			}
		}
	}
	others := func(*unstructured.Unstructured) conflict.Holder { return conflict.Holder{Ours: true} }
	for _, found := range conflict.Check(conflict.Input{Policy: p, Mesh: settings.Mesh(), Live: live, Holder: others}) {
		if found.Fatal() {
			return found.Summary
		}
	}
	return ""
}

// Live returns the objects of policies, each with the ports that it names
// itself.
func Live(settings scenario.Settings, policies []policy.Policy) conflict.Live {
	var live conflict.Live
	for _, p := range policies {
		named := map[string]int64{}
		for _, slot := range policy.Slots(p) {
			if slot.Explicit != 0 {
				slot.Set(named, slot.Explicit)
			}
		}
		objects, _ := policy.Preview(p, settings.Mesh(), named)
		for _, o := range objects {
			live.Add(o.Body)
		}
	}
	return live
}

// fits reports whether a policy is valid, and can be beside the others; for
// the latter, looked is the part of it that has not been looked at.
func (d drawer) fits(p, looked policy.Policy) bool {
	invalid, refused := Invalid(d.settings, p), ""
	if invalid == "" {
		refused = Refused(d.settings, looked, d.live)
	}
	d.tally.count(invalid, refused)
	return invalid == "" && refused == ""
}

func isHTTP(to policy.To) bool {
	return slices.Contains([]string{policy.HTTP, policy.HTTP2, policy.GRPC}, to.Port.Protocol)
}
