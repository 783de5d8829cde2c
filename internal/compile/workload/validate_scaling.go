package workload

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

func (v *validator) scaling(g Gateway) {
	if g.Replicas != nil {
		v.atLeast(at{"replicas"}, *g.Replicas, 0)
		if g.Autoscaling != nil {
			v.add(at{"replicas"}, "Replicas of an autoscaled gateway", "autoscaling decides the number of pods, within min_replicas and max_replicas. Leave replicas out.")
		}
	}
	if g.Autoscaling != nil {
		v.autoscaling(*g.Autoscaling, or(g.Resources, DefaultResources))
	}
	if r := g.RollingUpdate; r != nil {
		path := at{"rolling_update"}
		v.amount(path.in("max_unavailable"), r.MaxUnavailable, 100)
		v.amount(path.in("max_surge"), r.MaxSurge, math.MaxInt)
		if isZero(r.MaxUnavailable) && isZero(r.MaxSurge) {
			v.add(path, "Update without room", "max_unavailable and max_surge are both zero: no pod could ever be replaced. Raise one of them.")
		}
	}
}

func (v *validator) autoscaling(a Autoscaling, r Resources) {
	path := at{"autoscaling"}
	if a.MinReplicas != nil {
		v.atLeast(path.in("min_replicas"), *a.MinReplicas, 1)
	}
	v.atLeast(path.in("max_replicas"), a.MaxReplicas, 1)
	if low := or(a.MinReplicas, 1); low > a.MaxReplicas {
		v.add(path.in("min_replicas"), "Minimum above maximum", "min_replicas %d is above max_replicas %d.", low, a.MaxReplicas)
	}
	cpu, memory := a.targets()
	for _, target := range []struct {
		attribute, resource string
		percent             *int64
	}{{"cpu_utilization", "cpu", cpu}, {"memory_utilization", "memory", memory}} {
		if target.percent == nil {
			continue
		}
		v.atLeast(path.in(target.attribute), *target.percent, 1)
		// A limit without a request is a request as well.
		if r.Requests[target.resource] == "" && r.Limits[target.resource] == "" {
			v.add(path.in(target.attribute), "Utilization of nothing",
				"Utilization is a percentage of the requested %s, and resources.requests has none: the autoscaler would never act. Add resources.requests.%s.", target.resource, target.resource)
		}
	}
}

func (v *validator) disruptionBudget(b *PodDisruptionBudget) {
	if b == nil {
		return
	}
	path := at{"pod_disruption_budget"}
	if (b.MinAvailable == nil) == (b.MaxUnavailable == nil) {
		v.add(path, "Not exactly one bound", "Set exactly one of min_available and max_unavailable.")
	}
	v.amount(path.in("min_available"), b.MinAvailable, 100)
	v.amount(path.in("max_unavailable"), b.MaxUnavailable, 100)
}

// amount checks an integer or percentage; most bounds the percentage.
func (v *validator) amount(path at, text *string, most int) {
	if text == nil {
		return
	}
	v.check(path, CheckAmount(*text))
	if percent, ok := percentOf(*text); ok && percent > most {
		v.add(path, "More than all pods", "%s is above %d%%.", *text, most)
	}
}

func (v *validator) atLeast(path at, value, least int64) {
	if value < least || value > math.MaxInt32 {
		v.add(path, "Out of range", "%d is not a number from %d to %d.", value, least, math.MaxInt32)
	}
}

// wholeNumber keeps "01", "+1" and "-1" out: Kubernetes would take them as
// something else, or not at all.
var wholeNumber = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})%?$`)

// CheckAmount says what is wrong with an integer or percentage.
func CheckAmount(text string) *compile.Problem {
	if !wholeNumber.MatchString(text) {
		return problem("Neither number nor percentage", "%q is neither a whole number such as \"1\" nor a percentage such as \"25%%\".", text)
	}
	return nil
}

func isZero(text *string) bool {
	return text != nil && strings.TrimSuffix(*text, "%") == "0"
}

func percentOf(text string) (int, bool) {
	digits, percent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	return n, percent && err == nil
}

func (v *validator) resources(r *Resources) {
	if r == nil {
		return
	}
	path := at{"resources"}
	v.check(path.in("requests"), CheckQuantities(r.Requests))
	v.check(path.in("limits"), CheckQuantities(r.Limits))
	for _, name := range slices.Sorted(maps.Keys(r.Requests)) {
		request, err := resource.ParseQuantity(r.Requests[name])
		if err != nil {
			continue
		}
		limit, err := resource.ParseQuantity(r.Limits[name])
		if r.Limits[name] == "" || err != nil {
			continue
		}
		if request.Cmp(limit) > 0 {
			v.add(path.in("requests"), "Request above limit", "%s: the request %s is above the limit %s.", name, r.Requests[name], r.Limits[name])
		}
	}
}

// CheckQuantities says what is wrong with quantities by resource name.
func CheckQuantities(quantities map[string]string) *compile.Problem {
	for _, name := range slices.Sorted(maps.Keys(quantities)) {
		if errors := validation.IsQualifiedName(name); len(errors) > 0 {
			return first("Invalid resource name", name, errors)
		}
		if !knownResource(name) {
			return problem("Unknown resource", "%q is none of cpu, memory, ephemeral-storage, hugepages-<size> or <domain>/<name>.", name)
		}
		quantity, err := resource.ParseQuantity(quantities[name])
		if err != nil {
			return problem("Invalid quantity", "%s: %q is no quantity such as \"100m\", \"0.5\" or \"128Mi\".", name, quantities[name])
		}
		if quantity.Sign() < 0 {
			return problem("Negative quantity", "%s: %q is below zero.", name, quantities[name])
		}
	}
	return nil
}

func knownResource(name string) bool {
	return slices.Contains([]string{"cpu", "memory", "ephemeral-storage"}, name) ||
		strings.HasPrefix(name, "hugepages-") || strings.Contains(name, "/")
}
