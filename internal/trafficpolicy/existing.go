package trafficpolicy

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// existing is what an operation leaves in the cluster, whether it has
// succeeded or not.
type existing struct {
	// ports are the ports that are reserved, by member.
	ports   map[string]int64
	objects []manifest.Object
	grants  []string
	// warnings are about what was reserved.
	warnings diag.Diagnostics
}

// computed returns the computed attributes of a state. Nothing in them is
// unknown: what does not exist is not there.
func (e existing) computed(detail manifest.Detail) Computed {
	ports := make(map[string]attr.Value, len(e.ports))
	for member, port := range e.ports {
		ports[member] = types.Int64Value(port)
	}
	manifests := make(map[string]string, len(e.objects))
	for _, object := range e.objects {
		manifests[object.Key] = detail.Render(object.Body)
	}
	return Computed{
		GatewayPorts: types.MapValueMust(types.Int64Type, ports),
		Grants:       values.Set(e.grants),
		Manifests:    values.Map(manifests),
		Drift:        values.Map(nil),
	}
}
