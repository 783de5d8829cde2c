package outboundpolicy

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// warnings are what a plan that changes something has to say in words. prior is
// nil for something new.
func (r *Resource) warnings(prior *Model, p outbound.Policy) diag.Diagnostics {
	var diags diag.Diagnostics
	closes := p.Mode == meshconfig.RegistryOnly && (prior == nil || prior.Mode != p.Mode)
	if closes {
		diags.AddAttributeWarning(path.Root("mode"), "REGISTRY_ONLY is no firewall",
			diagnose.NoFirewall.With(fmt.Sprintf("From now on the sidecars of %s refuse hosts that nobody declared. "+
				"A workload that gets around its sidecar is not bound by that; to hold it as well, let a NetworkPolicy allow egress to the mesh only.",
				p.For(r.provider.Mesh))))
	}
	wasClosed := prior != nil && (prior.Mode == meshconfig.RegistryOnly || effectiveMode(prior.EffectiveFrom) == meshconfig.RegistryOnly)
	if p.Mode == meshconfig.AllowAny && wasClosed {
		diags.Append(widens(r, p, "`mode` goes from REGISTRY_ONLY to ALLOW_ANY"))
	}
	return diags
}

// widens is the warning of a plan that opens what is closed.
func widens(r *Resource, p outbound.Policy, why string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("mode"), "Undeclared hosts become reachable",
		fmt.Sprintf("%s: %s will reach any host, whether somebody declared it or not.", why, p.For(r.provider.Mesh)))
}

// opensOnDestroy warns of a destroy after which nothing of this policy closes
// its scope any more.
func (r *Resource) opensOnDestroy(prior *Model) diag.Diagnostics {
	if prior == nil || prior.Mode != meshconfig.RegistryOnly || prior.PreviousMode.ValueString() == meshconfig.RegistryOnly {
		return nil
	}
	then := "what a wider level says"
	if prior.Scope() == outbound.Mesh {
		then = "Istio's default, ALLOW_ANY, unless a shared mesh config says another mode"
	}
	if previous := prior.PreviousMode.ValueString(); previous != "" {
		then = previous
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("Undeclared hosts may become reachable",
		fmt.Sprintf("The destroy takes REGISTRY_ONLY away from %s. What holds then is %s.", prior.For(r.provider.Mesh), then))}
}
