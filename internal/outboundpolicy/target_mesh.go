package outboundpolicy

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// meshTarget is the mesh config of a control plane. It carries no mark of ours:
// the text is rendered by charts and read by istiod, and what counts is the
// one value in it.
type meshTarget struct{ instance }

// meshField is the field, as `drift` names it.
const meshField = "outboundTrafficPolicy.mode"

func (t meshTarget) id() manifest.ID {
	return meshconfig.ConfigMap(t.r.provider.Mesh.RootNamespace, t.policy.RevisionIn(t.r.provider.Mesh))
}

func (t meshTarget) create(ctx context.Context) (made, error) {
	result := made{object: t.id()}
	first := true
	err := t.edit(ctx, func(text string) (string, error) {
		mode, err := t.known(text)
		if err != nil {
			return "", err
		}
		if first || mode != t.policy.Mode {
			// What is there after a write of ours that got no answer is ours.
			result.previous, first = mode, false
		}
		return meshconfig.Set(text, t.policy.Mode)
	})
	result.written = err == nil || cluster.MaybeWritten(err)
	return result, err
}

// known returns the mode of a text that may be taken over. One that istiod does
// not know could not be put back: it would go on with what it had before.
func (t meshTarget) known(text string) (string, error) {
	config, err := meshconfig.Parse(text)
	if err == nil && config.OutboundMode != "" && !meshconfig.Known(config.OutboundMode) {
		err = fmt.Errorf("%s is %q, which istiod does not know: it goes on with the last mesh config that it could read", meshField, config.OutboundMode)
	}
	return config.OutboundMode, err
}

// edit changes the text. Errors say which ConfigMap and what to do.
func (t meshTarget) edit(ctx context.Context, edit func(string) (string, error)) error {
	defer t.r.provider.ForgetControlPlane()
	return t.explain(t.client.EditText(ctx, t.id(), meshconfig.Key, func(text string) (string, error) {
		edited, err := edit(text)
		var told *attributeError
		if err != nil && !errors.As(err, &told) {
			err = t.unreadable(err)
		}
		return edited, err
	}))
}

// unreadable says that a mesh config has to be put right by hand.
func (t meshTarget) unreadable(err error) error {
	return &summaryError{fmt.Sprintf("The mesh config in %s cannot be edited", t.id()),
		err.Error() + ". Nothing was written. Correct it first, or set " + meshField + " there by hand and import it."}
}

// explain says what was looked for where there is no mesh config.
func (t meshTarget) explain(err error) error {
	var missing *cluster.MissingError
	if !errors.As(err, &missing) {
		return err
	}
	id, revision := t.id(), t.policy.RevisionIn(t.r.provider.Mesh)
	said := "the default revision"
	if revision != "" {
		said = fmt.Sprintf("revision %q", revision)
	}
	detail := fmt.Sprintf("A policy without `namespace` edits the mesh config, key %q of ConfigMap %s/%s: that of %s in the provider's `istio_namespace`. ",
		meshconfig.Key, id.Namespace, id.Name, said)
	if missing.Key != "" {
		detail += "The ConfigMap is there, but it has no such key, so istiod does not read it as a mesh config. "
	} else {
		detail += "There is no such ConfigMap. "
	}
	return &attributeError{path.Root("revision"), missing.Summary(), detail +
		fmt.Sprintf("Set `revision`, or `istio_namespace` of the provider block, to where the control plane is (kubectl -n %s get configmaps). Nothing was written.", id.Namespace)}
}

func (t meshTarget) read(ctx context.Context) (seen, error) {
	live, err := t.client.Get(ctx, t.id())
	if err != nil {
		return seen{}, err
	}
	if live == nil {
		return seen{gone: true}, nil
	}
	text, ok := cluster.TextOf(live, meshconfig.Key)
	if !ok {
		return seen{gone: true}, nil
	}
	config, err := meshconfig.Parse(text)
	key := t.id().String()
	switch {
	case err != nil:
		return seen{drift: map[string]string{key: fmt.Sprintf("%v -> %s: %q", err, meshField, t.policy.Mode)}}, nil
	case config.OutboundMode != t.policy.Mode:
		managers := cluster.FieldManagers(live, "data", meshconfig.Key)
		return seen{drift: map[string]string{key: driftLine(meshField, config.OutboundMode, managers, t.policy.Mode)}}, nil
	}
	return seen{}, nil
}

func (t meshTarget) update(ctx context.Context, state Model) error {
	return t.edit(ctx, func(text string) (string, error) {
		config, err := meshconfig.Parse(text)
		if err != nil {
			return "", err
		}
		if now := config.OutboundMode; now != t.policy.Mode && !showed(state, t.id(), meshField, now) && !t.client.ForcesConflicts() {
			return "", &attributeError{path.Root("mode"), fmt.Sprintf("%s was changed after the plan", t.id()),
				fmt.Sprintf("%s, and the plan did not show it. Nothing was written. Plan again to see the change and decide; "+
					"`force_conflicts = true` in the provider block overwrites it without asking.", shownLine(meshField, now))}
		}
		return meshconfig.Set(text, t.policy.Mode)
	})
}

func (t meshTarget) remove(ctx context.Context, state Model) (string, error) {
	var stays string
	err := t.edit(ctx, func(text string) (string, error) {
		stays = ""
		config, err := meshconfig.Parse(text)
		previous := state.PreviousMode.ValueString()
		switch {
		case err != nil:
			return "", err
		case config.OutboundMode == previous:
			return text, nil
		case config.OutboundMode != state.Mode:
			stays = fmt.Sprintf("%s by now", shownLine(meshField, config.OutboundMode))
			return text, nil
		case previous != "":
			return meshconfig.Set(text, previous)
		}
		edited, err := meshconfig.Remove(text)
		if errors.Is(err, meshconfig.ErrSiblings) {
			stays = err.Error()
			return text, nil
		}
		return edited, err
	})
	var gone *attributeError
	if errors.As(err, &gone) {
		return "", nil // no mesh config, nothing to put back
	}
	return stays, err
}
