package outboundpolicy

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/private"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// target is what a policy is written to: the mesh config (target_mesh.go), a
// Sidecar of its own (target_sidecar.go), or one field of somebody else's
// (target_field.go).
type target interface {
	// foresee looks at what a create would meet, without writing. It adds
	// warnings to found.
	foresee(ctx context.Context, found *diag.Diagnostics) error
	// create writes the policy. What it returns is in the cluster, whatever the
	// error, if written is set.
	create(ctx context.Context) (made, error)
	// read looks at what the state says is there.
	read(ctx context.Context) (seen, error)
	// update brings what the state says is there to the plan.
	update(ctx context.Context, state Model) error
	// remove takes the policy out, as the state has it. It returns why
	// something stays as it is.
	remove(ctx context.Context, state Model) (stays string, err error)
}

// made is what a create leaves in the cluster.
type made struct {
	written  bool
	object   manifest.ID
	previous string
	record   record
}

// seen is what a refresh finds.
type seen struct {
	gone bool
	// drift is the attribute of that name.
	drift map[string]string
	// nonce is that of the live object, where private state had none.
	nonce string
}

// instance is one policy in one operation.
type instance struct {
	r      *Resource
	client *cluster.Client
	policy outbound.Policy
	owner  cluster.Owner
	// kept is what private state holds of a policy that exists.
	kept record
}

// existing returns the instance of a policy that exists. Its record is empty
// where core destroys it as tainted.
func (r *Resource) existing(ctx context.Context, p outbound.Policy, from private.Reader) (instance, diag.Diagnostics) {
	i := instance{r: r, policy: p, owner: r.owner(p, "")}
	diags := private.Read(ctx, from, TypeName+" "+i.owner.ImportID, &i.kept)
	if diags.HasError() {
		return i, diags
	}
	i.owner.Nonce = i.kept.Nonce
	var err error
	if i.client, err = r.provider.Connect(); err != nil {
		diags.Append(diagnostic(err))
	}
	return i, diags
}

// newTarget returns what a policy that is created will be written to.
func (i instance) newTarget(ctx context.Context) (target, error) {
	if i.policy.Scope() == outbound.Mesh {
		return meshTarget{i}, nil
	}
	sidecars, err := i.sidecars(ctx)
	if err != nil {
		return nil, err
	}
	if i.policy.Scope() == outbound.Namespace {
		if plain := sidecars.Plain(*i.policy.Namespace); plain != nil && !cluster.IsOurs(plain) {
			return fieldTarget{i, plain.GetName()}, nil
		}
	}
	return sidecarTarget{i, sidecars}, nil
}

// oldTarget returns what the policy of a state is written to. Where private
// state does not say, the Sidecar does.
func (i instance) oldTarget(ctx context.Context, object string) (target, error) {
	if i.policy.Scope() == outbound.Mesh {
		return meshTarget{i}, nil
	}
	sidecars, err := i.sidecars(ctx)
	if err != nil {
		return nil, err
	}
	name := object[strings.LastIndex(object, "/")+1:]
	field := i.kept.Field
	if i.kept.Nonce == "" && i.policy.Scope() == outbound.Namespace {
		live, err := i.client.Get(ctx, sidecarID(*i.policy.Namespace, name))
		if err != nil {
			return nil, err
		}
		if field = live != nil && !cluster.IsOurs(live); field {
			i.owner.Nonce = cluster.FieldNonce(live, outbound.ModeField()...)
		}
	}
	if field {
		return fieldTarget{i, name}, nil
	}
	return sidecarTarget{i, sidecars}, nil
}

// sidecars lists the Sidecars that decide for the policy.
func (i instance) sidecars(ctx context.Context) (outbound.Sidecars, error) {
	plane, err := i.r.provider.ControlPlane(ctx, i.client, i.policy.RevisionIn(i.r.provider.Mesh))
	if err != nil {
		return outbound.Sidecars{}, err
	}
	root := plane.RootNamespace()
	// The root namespace's is written by nobody here, so what this process has
	// seen of it is good enough.
	live, err := i.client.Glance(ctx, outbound.KindSidecar, root, "")
	if err != nil {
		return outbound.Sidecars{}, err
	}
	if i.policy.Namespace != nil && *i.policy.Namespace != root {
		own, err := i.client.List(ctx, outbound.KindSidecar, *i.policy.Namespace, "")
		if err != nil {
			return outbound.Sidecars{}, err
		}
		live = append(append([]*unstructured.Unstructured{}, live...), own...)
	}
	return outbound.NewSidecars(live, root, i.policy.RevisionIn(i.r.provider.Mesh)), nil
}

// effective returns what holds for the policy's workloads now.
func (i instance) effective(ctx context.Context) (outbound.Effective, error) {
	plane, err := i.r.provider.ControlPlane(ctx, i.client, i.policy.RevisionIn(i.r.provider.Mesh))
	if err != nil {
		return outbound.Effective{}, err
	}
	sidecars, err := i.sidecars(ctx)
	if err != nil {
		return outbound.Effective{}, err
	}
	return sidecars.Effective(i.policy, plane.MeshMode()), nil
}

func sidecarID(namespace, name string) manifest.ID {
	return manifest.ID{GVK: outbound.KindSidecar, Namespace: namespace, Name: name}
}

// shownLine is the beginning of a line of `drift` that says what a field is.
func shownLine(field, mode string) string {
	value := "(absent)"
	if mode != "" {
		value = `"` + mode + `"`
	}
	return field + ": " + value
}

// driftLine is that line: "field: live (managers) -> wanted".
func driftLine(field, live string, managers []string, wanted string) string {
	line := shownLine(field, live)
	if live != "" && len(managers) > 0 {
		line += " (" + strings.Join(managers, ", ") + ")"
	}
	return line + ` -> "` + wanted + `"`
}

// showed reports whether the plan showed a field as it is: as drift, or as
// the state's own.
func showed(state Model, object manifest.ID, field, live string) bool {
	line, drifted := values.Strings(state.Drift)[object.String()]
	if !drifted {
		return live == state.Mode
	}
	rest, ok := strings.CutPrefix(line, shownLine(field, live))
	return ok && strings.HasPrefix(rest, " ")
}
