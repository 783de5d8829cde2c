package convert

import "github.com/meshegress/terraform-provider-istio/internal/fields"

// metadata returns name and namespace of the custom resource.
func metadata(o *fields.Object) (name string, namespace fields.Field) {
	m := o.Take("metadata").Object()
	name = m.Take("name").RequiredText()
	namespace = m.Take("namespace")
	for _, noun := range []string{"labels", "annotations"} {
		keys := m.Take(noun).Object()
		for _, key := range keys.Keys {
			if !fields.Tracked(key) {
				keys.Take(key).Fail("%s of the custom resource itself have no counterpart; take it out", noun)
			}
		}
	}
	m.Ignore(fields.Bookkeeping...)
	m.Done()
	return name, namespace
}
