package outboundpolicy

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// note is what stands beside the mode of a mesh config, in compile.AnnotationMode,
// while a policy sets it. It comes with the mode in one request: what was there
// before outlives a process that is killed before it has a state.
type note struct {
	Owner cluster.Owner `json:"owner"`
	// Mode is the mode that was written.
	Mode string `json:"mode"`
	// Previous is the mode before, empty if there was none.
	Previous string `json:"previous,omitempty"`
}

// parseNote reads a note. One is of use only while the mode is the one it tells
// of: whoever wrote another has taken the field over.
func parseNote(text, mode string) (note, bool) {
	var n note
	if json.Unmarshal([]byte(text), &n) != nil || n.Owner.Nonce == "" || n.Mode != mode {
		return note{}, false
	}
	return n, true
}

// noteOf is parseNote of a live ConfigMap.
func noteOf(live *unstructured.Unstructured, mode string) (note, bool) {
	return parseNote(live.GetAnnotations()[compile.AnnotationMode], mode)
}

func (n note) String() string {
	text, _ := json.Marshal(n) // a struct of strings
	return string(text)
}

// admit returns the owner that a policy which is created goes on with. It fails if
// another policy sets the mode.
func (n note) admit(owner cluster.Owner, id manifest.ID) (cluster.Owner, error) {
	if n.Owner.Nonce == owner.Nonce || owner.SameInstance(n.Owner) {
		return n.Owner, nil
	}
	return owner, &cluster.ForeignError{ID: id, Owner: &n.Owner, Wanted: owner, Unchanged: true}
}
