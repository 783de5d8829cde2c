package outboundpolicy

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// meshTarget is the mesh config of a control plane. Its text carries no mark of
// ours: it is rendered by charts and read by istiod, and what counts is the one
// value in it. Who has set that stands in an annotation (note.go).
type meshTarget struct{ instance }

// meshField is the field, as `drift` names it.
const meshField = "outboundTrafficPolicy.mode"

func (t meshTarget) id() manifest.ID {
	return meshconfig.ConfigMap(t.r.provider.Mesh.RootNamespace, t.policy.RevisionIn(t.r.provider.Mesh))
}

func (t meshTarget) create(ctx context.Context) (made, error) {
	result := made{object: t.id()}
	err := t.edit(ctx, func(text cluster.Text) (_ cluster.Text, err error) {
		mode, err := t.known(text.Value)
		if err != nil {
			return text, err
		}
		result.previous, result.record.Nonce = mode, t.owner.Nonce
		// After a write of ours that got no answer, or a create that was killed.
		if n, ok := parseNote(text.Note, mode); ok {
			owner, err := n.admit(t.owner, t.id())
			if err != nil {
				return text, err
			}
			result.previous, result.record.Nonce = n.Previous, owner.Nonce
		}
		return t.set(text, result.record.Nonce, result.previous)
	})
	result.written = err == nil || cluster.MaybeWritten(err)
	return result, err
}

// set writes the policy's mode into a text, with its note.
func (t meshTarget) set(text cluster.Text, nonce, previous string) (cluster.Text, error) {
	edited, err := meshconfig.Set(text.Value, t.policy.Mode)
	owner := t.owner
	owner.Nonce = nonce
	if nonce == "" {
		return cluster.Text{Value: edited, Note: text.Note}, err
	}
	return cluster.Text{Value: edited, Note: note{owner, t.policy.Mode, previous}.String()}, err
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
func (t meshTarget) edit(ctx context.Context, edit func(cluster.Text) (cluster.Text, error)) error {
	defer t.r.provider.ForgetControlPlane()
	return t.explain(t.client.EditText(ctx, t.id(), meshconfig.Key, compile.AnnotationMode, func(text cluster.Text) (cluster.Text, error) {
		edited, err := edit(text)
		var told *attributeError
		var foreign *cluster.ForeignError
		if err != nil && !errors.As(err, &told) && !errors.As(err, &foreign) {
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
	return t.edit(ctx, func(text cluster.Text) (cluster.Text, error) {
		config, err := meshconfig.Parse(text.Value)
		if err != nil {
			return text, err
		}
		if now := config.OutboundMode; now != t.policy.Mode && !showed(state, t.id(), meshField, now) && !t.client.ForcesConflicts() {
			return text, &attributeError{path.Root("mode"), fmt.Sprintf("%s was changed after the plan", t.id()),
				fmt.Sprintf("%s, and the plan did not show it. Nothing was written. Plan again to see the change and decide; "+
					"`force_conflicts = true` in the provider block overwrites it without asking.", shownLine(meshField, now))}
		}
		return t.set(text, t.kept.Nonce, state.PreviousMode.ValueString())
	})
}

func (t meshTarget) remove(ctx context.Context, state Model) (string, error) {
	var stays string
	err := t.edit(ctx, func(text cluster.Text) (_ cluster.Text, err error) {
		stays = ""
		config, err := meshconfig.Parse(text.Value)
		if n, ok := parseNote(text.Note, config.OutboundMode); !ok || t.kept.Nonce == "" || n.Owner.Nonce == t.kept.Nonce {
			text.Note = ""
		}
		previous := state.PreviousMode.ValueString()
		switch {
		case err != nil:
			return text, err
		case config.OutboundMode == previous:
			return text, nil
		case config.OutboundMode != state.Mode:
			stays = fmt.Sprintf("%s by now", shownLine(meshField, config.OutboundMode))
			return text, nil
		case previous != "":
			text.Value, err = meshconfig.Set(text.Value, previous)
			return text, err
		}
		edited, err := meshconfig.Remove(text.Value)
		if errors.Is(err, meshconfig.ErrSiblings) {
			stays = err.Error()
			return text, nil
		}
		text.Value = edited
		return text, err
	})
	var gone *attributeError
	if errors.As(err, &gone) {
		return "", nil // no mesh config, nothing to put back
	}
	return stays, err
}
