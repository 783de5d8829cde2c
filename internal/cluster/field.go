package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Field is one field, a string, of an object that is somebody else's. It is
// ours as far as managedFields say that the owner's field manager applied it.
type Field struct {
	Owner Owner
	ID    manifest.ID
	// Path has the names of the fields that lead to it.
	Path []string
}

// FieldTakenError is a field that another field manager owns.
type FieldTakenError struct {
	Field Field
	// Value is what it is now.
	Value string
	// Managers own it.
	Managers []string
}

// Summary is the short text of the error's diagnostic.
func (e *FieldTakenError) Summary() string {
	return fmt.Sprintf("%s of %s belongs to another field manager", strings.Join(e.Field.Path, "."), e.Field.ID)
}

func (e *FieldTakenError) Error() string {
	return fmt.Sprintf("It is %q, set by %s. Nothing was written.\n\nChange it there, or take it out there. To manage it here, import it:\n\n"+
		"  terraform import %s.%s %s\n\n`force_conflicts = true` in the provider block takes such fields without asking.",
		e.Value, strings.Join(e.Managers, ", "), e.Field.Owner.Resource, lastOf(e.Field.Owner.ImportID), e.Field.Owner.ImportID)
}

func lastOf(importID string) string { return importID[strings.LastIndex(importID, "/")+1:] }

// value returns the field of a live object, empty if it is not there.
func (f Field) value(live *unstructured.Unstructured) string {
	value, _, _ := unstructured.NestedString(live.Object, f.Path...)
	return value
}

func (f Field) fieldPath() fieldpath.Path {
	steps := make([]step, len(f.Path))
	for i, name := range f.Path {
		steps[i] = step{field: name}
	}
	return pathsOf(steps)[0]
}

// FieldManagers returns the managers that own exactly this field, whatever
// their part in the rest.
func FieldManagers(live *unstructured.Unstructured, path ...string) []string {
	field := Field{Path: path}.fieldPath()
	var names []string
	for _, m := range ownersOf(live) {
		if m.fields.Has(field) && !slices.Contains(names, m.manager) {
			names = append(names, m.manager)
		}
	}
	return names
}

// FieldNonce returns the nonce of the instance of this provider that owns a
// field, of whatever state; empty if none does.
func FieldNonce(live *unstructured.Unstructured, path ...string) string {
	for _, name := range FieldManagers(live, path...) {
		if nonce, ok := strings.CutPrefix(name, compile.ProviderName+":"); ok {
			return nonce
		}
	}
	return ""
}

// taken returns why the field may not be set to a value: somebody else has it
// at another one, or another instance of this provider has it at all. The
// server would let two instances share it as long as they agree.
func (f Field) taken(live *unstructured.Unstructured, value string) error {
	var others []string
	for _, name := range FieldManagers(live, f.Path...) {
		if name == f.Owner.manager() {
			continue
		}
		if f.value(live) != value || strings.HasPrefix(name, compile.ProviderName+":") {
			others = append(others, name)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return &FieldTakenError{Field: f, Value: f.value(live), Managers: others}
}

// CheckField returns a FieldTakenError if SetField would.
func (c *Client) CheckField(f Field, live *unstructured.Unstructured, value string) error {
	if c.forceConflicts {
		return nil
	}
	return f.taken(live, value)
}

// SetField sets the field by server-side apply and returns what it was. shown
// is the value that the plan showed, nil for a field that is new to the plan:
// one that still has it is taken from whoever set it, any other one is a
// FieldTakenError unless Options.ForceConflicts says so.
func (c *Client) SetField(ctx context.Context, f Field, value string, shown *string) (previous string, err error) {
	var uncertain bool
	for n := 0; ; n++ {
		if err := pause(ctx, f.ID, n); err != nil {
			return previous, mark(err, uncertain)
		}
		live, err := c.Get(ctx, f.ID)
		if err != nil {
			return previous, mark(err, uncertain)
		}
		if live == nil || live.GetDeletionTimestamp() != nil {
			return previous, &MissingError{ID: f.ID}
		}
		now := f.value(live)
		if n == 0 || now != value {
			// What is there after a write of ours that got no answer is ours.
			previous = now
		}
		force := c.forceConflicts || shown != nil && now == *shown
		if !force {
			if err := f.taken(live, value); err != nil {
				return previous, err
			}
		}
		body := f.body(live)
		if err := unstructured.SetNestedField(body.Object, value, f.Path...); err != nil {
			return previous, err
		}
		_, _, err = c.apply(ctx, body, applyOptions{manager: f.Owner.manager(), force: force})
		switch {
		case len(managerConflicts(err)) > 0, isStale(err), isGone(err):
			uncertain = uncertain || MaybeWritten(err)
			continue // looked at anew, that is a FieldTakenError, or no object
		case err != nil:
			return previous, mark(err, uncertain)
		}
		return previous, nil
	}
}

// body is an apply configuration that says which object, as it was looked at,
// and nothing else.
func (f Field) body(live *unstructured.Unstructured) *unstructured.Unstructured {
	body := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"uid": string(live.GetUID())}}}
	body.SetGroupVersionKind(f.ID.GVK)
	body.SetNamespace(f.ID.Namespace)
	body.SetName(f.ID.Name)
	body.SetResourceVersion(live.GetResourceVersion())
	return body
}

// ReleaseField gives a field up that we set to a value: it goes, or becomes
// previous if that is not empty. It returns why it stayed as it is: somebody
// has changed it since, or others set the same value, who keep it. An object
// that is gone is no reason.
//
// It is one PUT that takes the field out together with the map that it was in:
// an outboundTrafficPolicy without a mode would have a meaning of its own.
func (c *Client) ReleaseField(ctx context.Context, f Field, value, previous string) (stays string, err error) {
	for n := 0; ; n++ {
		if err := pause(ctx, f.ID, n); err != nil {
			return "", err
		}
		live, err := c.Get(ctx, f.ID)
		if err != nil || live == nil || live.GetDeletionTimestamp() != nil {
			return "", err
		}
		others := slices.DeleteFunc(FieldManagers(live, f.Path...), func(name string) bool { return name == f.Owner.manager() })
		switch {
		case f.value(live) != value:
			return fmt.Sprintf("it is %q by now", f.value(live)), nil
		case value == previous || len(others) > 0:
			if value != previous {
				stays = "others set it to that too: " + strings.Join(others, ", ")
			}
			err = c.dropManager(ctx, f, live)
		default:
			stays, err = c.takeOut(ctx, f, live, previous)
		}
		if !isStale(err) && !isGone(err) {
			return stays, err
		}
	}
}

// dropManager takes the owner's records out of managedFields.
func (c *Client) dropManager(ctx context.Context, f Field, live *unstructured.Unstructured) error {
	changed := live.DeepCopy()
	changed.SetManagedFields(f.otherRecords(live))
	if len(changed.GetManagedFields()) == len(live.GetManagedFields()) {
		return nil
	}
	_, err := c.replace(ctx, changed, sharedManager)
	return err
}

func (f Field) otherRecords(live *unstructured.Unstructured) []metav1.ManagedFieldsEntry {
	return slices.DeleteFunc(slices.Clone(live.GetManagedFields()), func(entry metav1.ManagedFieldsEntry) bool {
		return entry.Manager == f.Owner.manager()
	})
}

// takeOut puts back what the field was.
func (c *Client) takeOut(ctx context.Context, f Field, live *unstructured.Unstructured, previous string) (string, error) {
	changed := live.DeepCopy()
	parent := f.Path[:len(f.Path)-1]
	switch {
	case previous != "":
		if err := unstructured.SetNestedField(changed.Object, previous, f.Path...); err != nil {
			return "", err
		}
	default:
		unstructured.RemoveNestedField(changed.Object, f.Path...)
		rest, _, _ := unstructured.NestedMap(changed.Object, parent...)
		if len(rest) > 0 {
			return "somebody has set other fields beside it", nil
		}
		unstructured.RemoveNestedField(changed.Object, parent...)
	}
	changed.SetManagedFields(f.otherRecords(live))
	_, err := c.replace(ctx, changed, sharedManager)
	return "", err
}

// IsOurs reports whether this provider made the object, for whichever state.
func IsOurs(live *unstructured.Unstructured) bool {
	_, owned := OwnerOf(live)
	return owned || live.GetLabels()[compile.LabelManagedBy] == compile.ProviderName
}

// ForcesConflicts reports whether fields are taken from other managers
// unasked.
func (c *Client) ForcesConflicts() bool { return c.forceConflicts }
