package cluster

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// MissingError is an object that is there for others to edit, and is not there.
type MissingError struct {
	ID manifest.ID
	// Key is the key of a ConfigMap that exists without it; empty if the object
	// itself is missing.
	Key string
}

// Summary is the short text of the error's diagnostic.
func (e *MissingError) Summary() string {
	if e.Key != "" {
		return fmt.Sprintf("%s has no key %q", e.ID, e.Key)
	}
	return fmt.Sprintf("%s does not exist", e.ID)
}

func (e *MissingError) Error() string { return e.Summary() + ": nothing was written." }

// TextOf returns the text under a key of a ConfigMap.
func TextOf(configMap *unstructured.Unstructured, key string) (string, bool) {
	text, ok, err := unstructured.NestedString(configMap.Object, "data", key)
	return text, ok && err == nil
}

// Text is what EditText changes of a ConfigMap, with one request.
type Text struct {
	// Value is the text under the key.
	Value string
	// Note is the value of an annotation of ours; empty if there is none.
	Note string
}

// EditText changes the text under one key of a ConfigMap that is somebody
// else's, and the annotation note beside it. edit gets both as they are and
// returns them as they shall be; it is called again where somebody has written
// in between, so that of edits at the same time none is lost: what is sent
// carries the resourceVersion that was looked at. What comes back as it was is
// not sent.
//
// The error of edit comes back as it is, with nothing written by this call. A
// write that failed may have been committed all the same: see MaybeWritten.
func (c *Client) EditText(ctx context.Context, id manifest.ID, key, note string, edit func(Text) (Text, error)) error {
	var uncertain bool
	for n := 0; ; n++ {
		if err := pause(ctx, id, n); err != nil {
			return mark(err, uncertain)
		}
		live, err := c.Get(ctx, id)
		if err != nil {
			return mark(err, uncertain)
		}
		if live == nil {
			return &MissingError{ID: id}
		}
		text, ok := TextOf(live, key)
		if !ok {
			return &MissingError{ID: id, Key: key}
		}
		before := Text{Value: text, Note: live.GetAnnotations()[note]}
		edited, err := edit(before)
		if err != nil || edited == before {
			return err
		}
		if err := unstructured.SetNestedField(live.Object, edited.Value, "data", key); err != nil {
			return err
		}
		annotate(live, note, edited.Note)
		_, err = c.replace(ctx, live, sharedManager)
		if !isStale(err) && !isGone(err) {
			return err
		}
		uncertain = uncertain || MaybeWritten(err)
	}
}

// annotate sets an annotation, or takes it out if value is empty.
func annotate(live *unstructured.Unstructured, key, value string) {
	annotations := live.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	if value == "" {
		delete(annotations, key)
	} else {
		annotations[key] = value
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	live.SetAnnotations(annotations)
}
