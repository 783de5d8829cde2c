package trafficpolicy

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"k8s.io/apimachinery/pkg/util/validation"
)

// portNumber admits what TCP calls a port.
func portNumber() validator.Int64 { return int64validator.Between(1, 65535) }

// labelValue admits the value of a Kubernetes label, but not an empty one.
func labelValue() validator.String {
	return stringCheck{
		description: "value must be the value of a Kubernetes label: 1 to 63 letters, digits, '-', '_' and '.'",
		problems: func(value string) []string {
			if value == "" {
				return []string{"it is empty"}
			}
			return validation.IsValidLabelValue(value)
		},
	}
}

// minDuration is the smallest duration that Istio accepts for timeouts
// (istio.io/istio pkg/config/validation, ValidateDuration).
const minDuration = time.Millisecond

// duration admits a duration that Istio's VirtualService takes.
func duration() validator.String {
	return stringCheck{
		description: `value must be a duration of at least 1ms, such as "10s" or "1m30s"`,
		problems: func(value string) []string {
			d, err := time.ParseDuration(value)
			switch {
			case err != nil:
				return []string{err.Error()}
			case d < minDuration:
				return []string{"it is shorter than 1ms"}
			case d%minDuration != 0:
				return []string{"it is no multiple of 1ms"}
			}
			return nil
		},
	}
}

// stringCheck is a validator of one string by a function of apimachinery's
// form: it returns what is wrong.
type stringCheck struct {
	description string
	problems    func(string) []string
}

func (c stringCheck) Description(context.Context) string         { return c.description }
func (c stringCheck) MarkdownDescription(context.Context) string { return c.description }

func (c stringCheck) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	value := req.ConfigValue.ValueString()
	if problems := c.problems(value); len(problems) > 0 {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid Attribute Value",
			req.Path.String()+": "+c.description+", got "+quote(value)+": "+strings.Join(problems, "; "))
	}
}

func quote(s string) string { return `"` + s + `"` }
