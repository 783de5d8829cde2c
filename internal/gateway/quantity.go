package gateway

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"

	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// equalQuantities keeps the prior quantities while the configuration says the
// same in another spelling, such as "100m" for "0.1". Core takes a planned
// value that is either the configuration's or the prior one as a whole, so a
// single new quantity brings the new spelling of all.
type equalQuantities struct{}

func (equalQuantities) Description(context.Context) string {
	return "Another spelling of the same quantities is no change."
}

func (m equalQuantities) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

func (equalQuantities) PlanModifyMap(_ context.Context, req planmodifier.MapRequest, resp *planmodifier.MapResponse) {
	if req.StateValue.IsNull() || req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	prior, wanted := values.Strings(req.StateValue), values.Strings(req.ConfigValue)
	if len(prior) != len(wanted) || len(wanted) != len(req.ConfigValue.Elements()) {
		return
	}
	for name, text := range wanted {
		if before, ok := prior[name]; !ok || !workload.EqualQuantity(before, text) {
			return
		}
	}
	resp.PlanValue = req.StateValue
}
