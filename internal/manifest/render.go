package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Detail is the provider's `manifest_detail`: what stands in `manifests`.
type Detail string

const (
	// DetailDigest stores a digest of each object. State bytes decide how
	// long an apply of many resources takes, so this is the default.
	DetailDigest Detail = "digest"
	// DetailFull stores the canonical JSON of each object, so that Terraform
	// prints a structural diff of it.
	DetailFull Detail = "full"
)

// digestBytes is the length of a digest before it is written as hex: enough
// to tell any two objects apart, short because it stands in state per object.
const digestBytes = 12

// Render returns the value of one object in `manifests`.
func (d Detail) Render(body *unstructured.Unstructured) string {
	canonical := Canonical(body)
	if d == DetailFull {
		return canonical
	}
	sum := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(sum[:digestBytes])
}

// Canonical returns the JSON of an object with sorted keys and no white
// space: equal objects have equal bytes.
func Canonical(body *unstructured.Unstructured) string {
	// encoding/json sorts the keys of maps.
	text, err := json.Marshal(body.Object)
	if err != nil {
		// A body is built from JSON values only (see Object).
		panic(fmt.Sprintf("manifest: %s is not JSON: %v", body.GetName(), err))
	}
	return string(text)
}
