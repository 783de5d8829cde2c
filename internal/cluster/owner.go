package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// AnnotationOwner names the resource that owns an object, as the JSON of Owner.
const AnnotationOwner = compile.AnnotationOwner

// sharedManager is the field manager of shared objects: all who write one
// write the same, so a conflict among them would say nothing.
const sharedManager = compile.ProviderName

// Owner is the Terraform resource instance that owns a set of objects. It
// stands in AnnotationOwner of each of them.
type Owner struct {
	// Resource is the resource type, such as istio_egress_gateway.
	Resource string `json:"resource"`
	// ImportID is the instance's import id: "namespace/name".
	ImportID string `json:"id"`
	// OwnerID is the provider's owner_id, empty if it has none.
	OwnerID string `json:"owner_id,omitempty"`
	// Nonce tells apart two instances of one name in two states. Random, made
	// at create, kept in private state, read back on import.
	Nonce string `json:"nonce"`
}

// NewNonce returns a random nonce of 16 hex characters.
func NewNonce() string {
	var nonce [8]byte
	_, _ = rand.Read(nonce[:]) // never fails, see crypto/rand
	return hex.EncodeToString(nonce[:])
}

// OwnerOf returns the owner that a live object names; false if it names none.
func OwnerOf(object *unstructured.Unstructured) (Owner, bool) {
	return ownerIn(object.GetAnnotations())
}

func ownerIn(annotations map[string]string) (Owner, bool) {
	text, ok := annotations[AnnotationOwner]
	if !ok {
		return Owner{}, false
	}
	var owner Owner
	if json.Unmarshal([]byte(text), &owner) != nil || owner.Nonce == "" {
		return Owner{}, false
	}
	return owner, true
}

// String returns the owner as Terraform names it: "type (id)".
func (o Owner) String() string { return o.Resource + " " + o.ImportID }

// annotation is the value of AnnotationOwner.
func (o Owner) annotation() string {
	text, _ := json.Marshal(o) // a struct of strings
	return string(text)
}

// manager is the field manager of this owner. A manager never conflicts with
// itself, so it has to differ between two states that write one name; it has
// to stay the same for the life of the object, and within 128 bytes.
func (o Owner) manager() string { return sharedManager + ":" + o.Nonce }

// managerOf returns the field manager for an object of this owner.
func (o Owner) managerOf(object manifest.Object) string {
	if object.Shared != nil {
		return sharedManager
	}
	return o.manager()
}

// owns reports whether a live object is this owner's.
//
// The annotation decides. Where somebody wiped it, the object is still ours
// if managedFields say that we wrote it, or, those wiped too, if it carries
// our label and no manager is on record for that label: an object that a
// person made anew under the same name has none of the three. What names
// another owner is never ours.
func (o Owner) owns(live *unstructured.Unstructured) bool {
	if owner, ok := OwnerOf(live); ok {
		return owner.Nonce == o.Nonce
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == o.manager() {
			return true
		}
	}
	if live.GetLabels()[compile.LabelManagedBy] != compile.ProviderName {
		return false
	}
	label := pathsOf([]step{{field: "metadata"}, {field: "labels"}, {field: compile.LabelManagedBy}})[0]
	for _, m := range ownersOf(live) {
		if m.fields.Has(label) {
			return false
		}
	}
	return true
}

// holds reports whether a live object is what this owner means by object.
func (o Owner) holds(object manifest.Object, live *unstructured.Unstructured) bool {
	if object.Shared != nil {
		return live.GetLabels()[compile.LabelManagedBy] == compile.ProviderName
	}
	return o.owns(live)
}

// SameInstance reports whether two owners are one resource instance of one
// workspace: what a crashed create left may then be taken over.
func (o Owner) SameInstance(other Owner) bool {
	return o.OwnerID != "" && o.OwnerID == other.OwnerID &&
		o.Resource == other.Resource && o.ImportID == other.ImportID
}
