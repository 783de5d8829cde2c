package trafficpolicy

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/conflict"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
	"github.com/meshegress/terraform-provider-istio/internal/private"
)

// lookAround says what stands in the way of a plan: what other policies of
// this run are planned to have and, if the plan changes the policy, what is in
// the cluster. prior is nil for a new policy.
func (r *Resource) lookAround(ctx context.Context, from private.Reader, prior *Model, p policy.Policy, wanted planned) diag.Diagnostics {
	owner := cluster.Owner{Resource: TypeName, ImportID: identityOf(p).importID(), OwnerID: r.provider.OwnerID}
	var diags diag.Diagnostics
	if prior != nil {
		var found diag.Diagnostics
		owner, found = r.ownerOf(ctx, from, identityOf(prior.Policy))
		diags.Append(found...)
	}
	if owner.Nonce == "" {
		owner = r.provider.Remembered(owner)
	}
	if prior != nil && identityOf(prior.Policy) != identityOf(p) {
		// A replacement. Core plans the successor next, like something new, and
		// drops the warnings of that plan: they are said now, while it is known
		// what is no stranger's.
		owner.ImportID = identityOf(p).importID()
		prior = nil
	}
	changes := prior == nil || !reflect.DeepEqual(prior.Policy, p)
	diags.Append(r.beside(owner, p, wanted, changes)...)
	if changes && !diags.HasError() {
		diags.Append(r.lookUp(ctx, owner, prior, p, wanted)...)
	}
	return diags
}

// lookUp asks the cluster, if it can be reached, whether the policy would meet
// objects or ports of somebody else.
func (r *Resource) lookUp(ctx context.Context, owner cluster.Owner, prior *Model, p policy.Policy, wanted planned) diag.Diagnostics {
	var found diag.Diagnostics
	diags := r.provider.Lookup(ctx, func(ctx context.Context, client *cluster.Client) error {
		before := r.before(prior)
		_, err := r.vacant(ctx, client, owner, p, wanted.objects, before)
		if warning := movable(err, owner); warning != nil {
			found, err = append(found, warning), nil
		}
		var told *summaryError
		if errors.As(err, &told) {
			found, err = append(found, diagnostic(err)), nil
		}
		if err != nil {
			return err
		}
		// Only a warning: the other may release its port in the same apply.
		taken, err := r.takenPorts(ctx, client, owner, p)
		if err != nil {
			return err
		}
		for _, port := range taken {
			problem := port.problem(p)
			found.AddAttributeWarning(problem.path, problem.summary, problem.detail)
		}
		if p.ByEgressGateway != nil && (prior == nil || !sameGateway(prior.ByEgressGateway, p.ByEgressGateway)) {
			absent, err := r.absentGateway(ctx, client, *p.ByEgressGateway)
			if err != nil {
				return err
			}
			found.Append(absent...)
		}
		in := r.inspect(client, owner, p, wanted.ports, wanted.objects, prior, before)
		if err := in.look(ctx); err != nil {
			return err
		}
		var problems []compile.Problem
		for _, c := range in.check() {
			if in.replaces(c) {
				c.Problem = replaced(c)
			}
			problems = append(problems, c.Problem)
		}
		found = append(found, diagnose.Conflict.Problems(problems)...)
		found = append(found, r.provider.Unseen(in.refused)...)
		return nil
	})
	return append(diags, found...)
}

// replaced is the warning of a conflict with a policy of this name elsewhere.
func replaced(c conflict.Conflict) compile.Problem {
	other, _ := cluster.OwnerOf(c.Other)
	problem := c.Problem
	problem.Summary = "A policy of this name is there for the same calls"
	problem.Detail = fmt.Sprintf("%s belongs to %s. If this policy replaces that one, it goes when this one is there. "+
		"If not, Istio uses one of the two and drops the other, and an apply does not refuse that: it cannot tell the two cases apart.",
		idOf(c.Other), other)
	return problem
}

// before returns the objects of a prior state, none if there is no prior.
func (r *Resource) before(prior *Model) []manifest.Object {
	if prior == nil {
		return nil
	}
	objects, _ := policy.Preview(prior.Policy, r.provider.Mesh, goPorts(prior.GatewayPorts))
	return objects
}

// vacant fails if an object that the policy would add exists and belongs to
// another. It returns the owner to go on with.
func (r *Resource) vacant(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy, objects, before []manifest.Object) (cluster.Owner, error) {
	if before == nil {
		return r.preflight(ctx, client, owner, p, objects)
	}
	had := map[manifest.ID]bool{}
	for _, object := range before {
		had[object.ID()] = true
	}
	var added []manifest.Object
	for _, object := range withoutGateways(objects) {
		if !had[object.ID()] {
			added = append(added, object)
		}
	}
	return client.Preflight(ctx, cluster.Release{Owner: owner, Objects: added})
}

// unblocked is the look before the first write: it fails if something is in
// the way. It returns the owner to write as.
func (r *Resource) unblocked(ctx context.Context, client *cluster.Client, owner cluster.Owner, p policy.Policy, prior *Model) (cluster.Owner, error) {
	if prior != nil && reflect.DeepEqual(prior.Policy, p) {
		return owner, nil
	}
	var settled map[string]int64
	if prior != nil {
		settled, _ = ports.Keep(priorPorts(prior, p), policy.Slots(p))
	}
	objects, _ := policy.Preview(p, r.provider.Mesh, settled)
	before := r.before(prior)
	owner, err := r.vacant(ctx, client, owner, p, objects, before)
	if err != nil {
		return owner, err
	}
	in := r.inspect(client, owner, p, settled, objects, prior, before)
	if err := in.look(ctx); err != nil {
		return owner, err
	}
	met, err := in.confirm(ctx)
	if err != nil {
		return owner, err
	}
	if len(met) > 0 {
		return owner, &conflictError{met}
	}
	return owner, r.freePorts(ctx, client, owner, p)
}

// movable returns a warning if the error is an object of another policy: that
// policy may be on its way out in the same apply. Apply looks again before it
// writes.
func movable(err error, owner cluster.Owner) diag.Diagnostic {
	var foreign *cluster.ForeignError
	if !errors.As(err, &foreign) || foreign.Owner == nil ||
		foreign.Owner.Resource != TypeName || foreign.Owner.ImportID == owner.ImportID {
		return nil
	}
	return diag.NewWarningDiagnostic(foreign.ID.String()+" belongs to another policy today",
		fmt.Sprintf("It is written by %s. Unless that one gives it up before, the apply fails with nothing written.", foreign.Owner))
}
