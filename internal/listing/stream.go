package listing

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// patience is how long the cluster may take to say which instances there are,
// and again to say all of one: as long as for a refresh.
const patience = time.Minute

// Instance is one that can be imported.
type Instance struct {
	// ImportID orders the results, and tells instances apart.
	ImportID string
	// DisplayName is what a person reads beside the identity.
	DisplayName string
	// Identity is the resource's identity, a struct with tfsdk tags.
	Identity any
	// Fill makes the state that an import and the refresh after it make. It is
	// called for the instances that are asked for in full, one after the other.
	// A state that stays null is that of an instance which has gone meanwhile.
	Fill func(ctx context.Context, state *tfsdk.State) diag.Diagnostics
}

// Find returns the instances that a configuration C, a struct with tfsdk tags,
// asks for. An error is one of all of them; an instance that cannot be read is
// left out with a warning.
type Find[C any] func(ctx context.Context, client *cluster.Client, config C) ([]Instance, diag.Diagnostics)

// Answer answers a list block: it streams the instances in the order of their
// import ids, up to the limit of the request.
func Answer[C any](ctx context.Context, provider *settings.Provider, req list.ListRequest, stream *list.ListResultsStream, find Find[C]) {
	instances, diags := instances(ctx, provider, req, find)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	slices.SortStableFunc(instances, func(a, b Instance) int { return strings.Compare(a.ImportID, b.ImportID) })
	instances = slices.CompactFunc(instances, func(a, b Instance) bool { return a.ImportID == b.ImportID })
	stream.Results = results(ctx, req, instances, diags)
}

func instances[C any](ctx context.Context, provider *settings.Provider, req list.ListRequest, find Find[C]) ([]Instance, diag.Diagnostics) {
	var config C
	diags := req.Config.Get(ctx, &config)
	if !provider.MeshKnown {
		diags.AddError("The provider block is not known",
			"A query needs every attribute of the provider block. One of `istio_namespace`, `revision`, `trust_domain`, `trust_domain_aliases` and `cluster_domain` "+
				"is computed by something that a query does not evaluate.")
	}
	if diags.HasError() {
		return nil, diags
	}
	client, err := provider.Connect()
	if err != nil {
		diags.Append(diagnose.Error(err))
		return nil, diags
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, more := find(ctx, client, config)
	diags.Append(more...)
	return found, diags
}

// results yields the warnings first: core drops them from a result that has an
// identity and keeps them from one that has none.
func results(ctx context.Context, req list.ListRequest, instances []Instance, warnings diag.Diagnostics) iter.Seq[list.ListResult] {
	return func(yield func(list.ListResult) bool) {
		if len(warnings) > 0 && !yield(list.ListResult{Diagnostics: warnings}) {
			return
		}
		shown := int64(0)
		for _, instance := range instances {
			if req.Limit > 0 && shown == req.Limit {
				return
			}
			result, found := instance.result(ctx, req)
			if !found {
				continue
			}
			shown++
			if !yield(result) {
				return
			}
		}
	}
}

// result is false for an instance that has gone.
func (i Instance) result(ctx context.Context, req list.ListRequest) (list.ListResult, bool) {
	result := req.NewListResult(ctx)
	result.DisplayName = i.DisplayName
	result.Diagnostics.Append(result.Identity.Set(ctx, i.Identity)...)
	if !req.IncludeResource {
		return result, true
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	state := tfsdk.State{Raw: result.Resource.Raw, Schema: result.Resource.Schema}
	result.Diagnostics.Append(i.Fill(bounded, &state)...)
	result.Resource.Raw = state.Raw
	return result, result.Diagnostics.HasError() || !state.Raw.IsNull()
}

// LeftOut returns errors about one instance as warnings: the others are listed.
func LeftOut(errors diag.Diagnostics) diag.Diagnostics {
	var warnings diag.Diagnostics
	for _, d := range errors {
		warnings.AddWarning("Left out: "+d.Summary(), d.Detail())
	}
	return warnings
}
