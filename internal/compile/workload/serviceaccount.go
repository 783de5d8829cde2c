package workload

import "github.com/meshegress/terraform-provider-istio/internal/manifest"

func (c compiler) serviceAccount() manifest.Object {
	return c.object(stageGuards, KindServiceAccount, c.Name, map[string]any{})
}
