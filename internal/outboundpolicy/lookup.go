package outboundpolicy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// lookUp asks the cluster, if it can be reached, what a new policy would meet.
func (r *Resource) lookUp(ctx context.Context, p outbound.Policy) diag.Diagnostics {
	var found diag.Diagnostics
	diags := r.provider.Lookup(ctx, func(ctx context.Context, client *cluster.Client) error {
		i := instance{r: r, client: client, policy: p, owner: r.provider.Remembered(r.owner(p, ""))}
		effective, err := i.effective(ctx)
		if err != nil {
			return err
		}
		if p.Mode == meshconfig.AllowAny && effective.Mode == meshconfig.RegistryOnly {
			found.Append(widens(r, p, fmt.Sprintf("%s says REGISTRY_ONLY today", effective.Object)))
		}
		warning, err := i.ambient(ctx)
		if err != nil {
			return err
		}
		found.Append(warning...)
		to, err := i.newTarget(ctx)
		if err != nil {
			return err
		}
		var told *attributeError
		switch err := to.foresee(ctx, &found); {
		case errors.As(err, &told):
			found.Append(diagnostic(err))
			return nil
		default:
			return err
		}
	})
	return append(diags, found...)
}

// foresee reads the mesh config as create will.
func (t meshTarget) foresee(ctx context.Context, _ *diag.Diagnostics) error {
	live, err := t.client.Get(ctx, t.id())
	if err != nil {
		return err
	}
	if live == nil {
		return t.explain(&cluster.MissingError{ID: t.id()})
	}
	text, ok := cluster.TextOf(live, meshconfig.Key)
	if !ok {
		return t.explain(&cluster.MissingError{ID: t.id(), Key: meshconfig.Key})
	}
	mode, err := t.known(text)
	if err != nil {
		return t.unreadable(err)
	}
	if n, ok := noteOf(live, mode); ok {
		if _, err := n.admit(t.owner, t.id()); err != nil {
			return err
		}
	}
	if _, err := meshconfig.Set(text, t.policy.Mode); err != nil {
		return t.unreadable(err)
	}
	return nil
}

// foresee looks for Sidecars of the same name, and for the same workloads.
// Those of another policy may be on their way out in the same apply, which looks
// again before it writes.
func (t sidecarTarget) foresee(ctx context.Context, found *diag.Diagnostics) error {
	if t.policy.Scope() == outbound.Workload {
		for _, overlap := range t.sidecars.Overlaps(t.policy) {
			told := diagnostic(overlapError(t.policy, overlap))
			owner, ours := cluster.OwnerOf(overlap.Sidecar)
			switch {
			case ours && owner.Resource == TypeName:
				found.AddAttributeWarning(path.Root("workload_selector"), told.Summary()+" today", told.Detail())
			case overlap.Certain:
				found.Append(told)
			default:
				found.AddAttributeWarning(path.Root("workload_selector"), strings.Replace(told.Summary(), "selects", "may select", 1),
					fmt.Sprintf("A workload that carries the labels of both selectors has two Sidecars; Istio takes the older one, %s.", manifest.Key(outbound.KindSidecar.Kind, overlap.Sidecar.GetNamespace(), overlap.Sidecar.GetName())))
			}
		}
	}
	_, err := t.client.Preflight(ctx, t.release(t.policy))
	var foreign *cluster.ForeignError
	if errors.As(err, &foreign) && foreign.Owner != nil && foreign.Owner.Resource == TypeName && foreign.Owner.ImportID != t.owner.ImportID {
		found.AddWarning(foreign.ID.String()+" belongs to another policy today",
			fmt.Sprintf("It is written by %s. Unless that one gives it up before, the apply fails with nothing written.", foreign.Owner))
		return nil
	}
	return err
}

// foresee looks whether the field is somebody's.
func (t fieldTarget) foresee(ctx context.Context, _ *diag.Diagnostics) error {
	live, err := t.client.Get(ctx, t.field().ID)
	if err != nil || live == nil {
		return err
	}
	return t.client.CheckField(t.field(), live, t.policy.Mode)
}

// dataplaneMode is the label that takes a namespace into ambient mode
// (istio.io/api/label, IoIstioDataplaneMode).
const (
	dataplaneMode = "istio.io/dataplane-mode"
	ambientMode   = "ambient"
)

var kindNamespace = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}

// ambient warns of namespaces that a mode does not bind: ztunnel knows no
// REGISTRY_ONLY (istio/istio#54281).
func (i instance) ambient(ctx context.Context) (diag.Diagnostics, error) {
	if i.policy.Mode != meshconfig.RegistryOnly {
		return nil, nil
	}
	all, err := i.namespaces(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, namespace := range all {
		if namespace.GetLabels()[dataplaneMode] == ambientMode && (i.policy.Namespace == nil || namespace.GetName() == *i.policy.Namespace) {
			names = append(names, namespace.GetName())
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	slices.Sort(names)
	if more := len(names) - 10; more > 0 {
		names = append(names[:10], fmt.Sprintf("%d more", more))
	}
	at := path.Root("mode")
	if i.policy.Namespace != nil {
		at = path.Root("namespace")
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(at, "Namespaces in ambient mode ignore REGISTRY_ONLY",
		diagnose.Ambient.With(fmt.Sprintf("ztunnel lets traffic to undeclared hosts out, whatever the mode. In ambient mode: %s. Hold their egress with a NetworkPolicy.", strings.Join(names, ", "))))}, nil
}

// namespaces returns all namespaces, or the policy's own where RBAC does not
// let the others be listed.
func (i instance) namespaces(ctx context.Context) ([]*unstructured.Unstructured, error) {
	all, err := i.client.Glance(ctx, kindNamespace, "", "")
	if !apierrors.IsForbidden(err) || i.policy.Namespace == nil {
		if apierrors.IsForbidden(err) {
			return nil, nil
		}
		return all, err
	}
	one, err := i.client.Get(ctx, manifest.ID{GVK: kindNamespace, Name: *i.policy.Namespace})
	if err != nil || one == nil {
		if apierrors.IsForbidden(err) {
			err = nil
		}
		return nil, err
	}
	return []*unstructured.Unstructured{one}, nil
}
