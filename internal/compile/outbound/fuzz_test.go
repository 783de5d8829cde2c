package outbound

import "testing"

// An import id that is taken names exactly one policy, and is its id.
func FuzzParseImportID(f *testing.F) {
	for _, id := range []string{
		"mesh", "mesh/", "mesh/canary", "namespace/shop", "namespace/", "workload/shop/default", "workload/shop/", "workload//x",
		"", "/", "mesh/a/b", "Mesh", "namespace/shop/x", "workload/shop", "mesh\x00", "namespace/%2f", "workload/é/𝄞",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		identity, err := ParseImportID(id)
		if err != nil {
			return
		}
		if identity.Check() != nil || identity.ImportID() != id {
			t.Errorf("%q is read as %q: %v", id, identity.ImportID(), identity.Check())
		}
	})
}
