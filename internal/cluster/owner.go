package cluster

// AnnotationOwner names the resource that owns an object, as the JSON of Owner.
const AnnotationOwner = "egress.meshegress.io/owner"

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
