package outboundpolicy

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
)

// fieldTarget is one field of a Sidecar that somebody else has made. It is ours
// by managedFields: nothing else of the object says so.
type fieldTarget struct {
	instance
	name string
}

func (t fieldTarget) field() cluster.Field {
	return cluster.Field{Owner: t.owner, ID: sidecarID(*t.policy.Namespace, t.name), Path: outbound.ModeField()}
}

func (t fieldTarget) path() string { return strings.Join(outbound.ModeField(), ".") }

func (t fieldTarget) create(ctx context.Context) (made, error) {
	field := t.field()
	previous, err := t.client.SetField(ctx, field, t.policy.Mode, nil)
	return made{
		written: err == nil || cluster.MaybeWritten(err), object: field.ID, previous: previous,
		record: record{Nonce: t.owner.Nonce, Field: true},
	}, err
}

func (t fieldTarget) read(ctx context.Context) (seen, error) {
	live, err := t.live(ctx)
	if err != nil || live == nil {
		return seen{gone: live == nil}, err
	}
	mode := t.mode(live)
	if mode == t.policy.Mode {
		return seen{}, nil
	}
	// The shared LIST has no managedFields.
	if live, err = t.client.Get(ctx, t.field().ID); err != nil || live == nil {
		return seen{gone: live == nil}, err
	}
	line := driftLine(t.path(), t.mode(live), cluster.FieldManagers(live, outbound.ModeField()...), t.policy.Mode)
	return seen{drift: map[string]string{t.field().ID.String(): line}}, nil
}

// live returns the Sidecar from the list that all instances share.
func (t fieldTarget) live(ctx context.Context) (*unstructured.Unstructured, error) {
	all, err := t.client.List(ctx, outbound.KindSidecar, *t.policy.Namespace, "")
	if err != nil {
		return nil, err
	}
	for _, sidecar := range all {
		if sidecar.GetName() == t.name {
			return sidecar, nil
		}
	}
	return nil, nil
}

func (t fieldTarget) mode(live *unstructured.Unstructured) string {
	mode, _, _ := unstructured.NestedString(live.Object, outbound.ModeField()...)
	return mode
}

func (t fieldTarget) update(ctx context.Context, state Model) error {
	live, err := t.client.Get(ctx, t.field().ID)
	if err != nil {
		return err
	}
	if live == nil {
		return &cluster.MissingError{ID: t.field().ID}
	}
	var shown *string
	if mode := t.mode(live); showed(state, t.field().ID, t.path(), mode) {
		shown = &mode
	}
	_, err = t.client.SetField(ctx, t.field(), t.policy.Mode, shown)
	return err
}

func (t fieldTarget) remove(ctx context.Context, state Model) (string, error) {
	stays, err := t.client.ReleaseField(ctx, t.field(), state.Mode, state.PreviousMode.ValueString())
	if stays != "" {
		stays = t.path() + ": " + stays
	}
	return stays, err
}
