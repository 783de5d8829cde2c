package outbound

import (
	"fmt"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Identity is what tells a policy from others. What a scope does not have is
// nil.
type Identity struct {
	Scope     string  `tfsdk:"scope"`
	Namespace *string `tfsdk:"namespace"`
	// Name is that of the Sidecar at workload scope, and the revision at mesh
	// scope, nil for the default one.
	Name *string `tfsdk:"name"`
}

// Identity returns the identity of a policy.
func (p Policy) Identity(mesh compile.Mesh) Identity {
	identity := Identity{Scope: string(p.Scope()), Namespace: p.Namespace}
	switch p.Scope() {
	case Mesh:
		if revision := p.RevisionIn(mesh); revision != "" {
			identity.Name = &revision
		}
	case Workload:
		identity.Name = p.Name
	}
	return identity
}

// ImportID returns the identity as `terraform import` takes it.
func (i Identity) ImportID() string {
	id := i.Scope
	for _, part := range []*string{i.Namespace, i.Name} {
		if part != nil {
			id += "/" + *part
		}
	}
	return id
}

// forms are the import ids that there are.
const forms = "mesh, mesh/<revision>, namespace/<namespace>, workload/<namespace>/<name of the Sidecar>"

// ParseImportID is the inverse of ImportID.
func ParseImportID(id string) (Identity, error) {
	parts := strings.Split(id, "/")
	identity := Identity{Scope: parts[0]}
	switch scope := Scope(parts[0]); {
	case scope == Mesh && len(parts) == 2:
		identity.Name = &parts[1]
	case scope == Namespace && len(parts) == 2:
		identity.Namespace = &parts[1]
	case scope == Workload && len(parts) == 3:
		identity.Namespace, identity.Name = &parts[1], &parts[2]
	case scope == Mesh && len(parts) == 1:
	default:
		return Identity{}, fmt.Errorf("%q is none of the forms %s", id, forms)
	}
	return identity, identity.Check()
}

// Check says what is missing in an identity.
func (i Identity) Check() error {
	has := func(part *string) bool { return part != nil && *part != "" && !strings.Contains(*part, "/") }
	ok := false
	switch Scope(i.Scope) {
	case Mesh:
		ok = i.Namespace == nil && (i.Name == nil || has(i.Name))
	case Namespace:
		ok = has(i.Namespace) && i.Name == nil
	case Workload:
		ok = has(i.Namespace) && has(i.Name)
	}
	if !ok {
		return fmt.Errorf("%q is none of the forms %s", i.ImportID(), forms)
	}
	return nil
}
