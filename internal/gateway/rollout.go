package gateway

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// rollout waits until the pods of the gateway are available, if the
// configuration wants that.
func rollout(ctx context.Context, client *cluster.Client, g workload.Gateway) diag.Diagnostics {
	if !g.WaitForRollout {
		return nil
	}
	if err := client.WaitReady(ctx, workload.DeploymentID(g)); err != nil {
		return diag.Diagnostics{diagnose.Error(err)}
	}
	return nil
}
