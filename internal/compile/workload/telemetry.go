package workload

import (
	telemetry "istio.io/api/telemetry/v1alpha1"
	istiotype "istio.io/api/type/v1beta1"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// accessLogProvider is Envoy's log on standard output, which every mesh has
// without configuration (pkg/config/mesh/mesh.go).
const accessLogProvider = "envoy"

func (c compiler) telemetry() manifest.Object {
	spec := &telemetry.Telemetry{
		Selector: &istiotype.WorkloadSelector{MatchLabels: Selector(c.Name)},
		AccessLogging: []*telemetry.AccessLogging{{
			Providers: []*telemetry.ProviderRef{{Name: accessLogProvider}},
		}},
	}
	return c.object(stageGuards, KindTelemetry, c.Name, map[string]any{"spec": spec})
}
