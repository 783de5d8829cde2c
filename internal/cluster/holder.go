package cluster

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Managers returns the field managers of an object's content, in the order of
// their first entry. The objects of List, Glance and Find carry none: for them
// it looks into the LIST that they come from.
func (c *Client) Managers(object *unstructured.Unstructured) []string {
	fields := object.GetManagedFields()
	if len(fields) == 0 {
		if e := c.listed(object); e != nil {
			fields = e.object().GetManagedFields()
		}
	}
	return managersIn(fields)
}

// listed returns the entry of a LIST of this process, nil if there is none.
func (c *Client) listed(object *unstructured.Unstructured) *entry {
	for _, namespace := range []string{"", object.GetNamespace()} {
		snap := c.kept(listKey{gvk: object.GroupVersionKind(), namespace: namespace})
		if snap == nil {
			continue
		}
		if e := snap.byName[object.GetNamespace()+"/"+object.GetName()]; e != nil {
			return e
		}
	}
	return nil
}

// managersIn names each manager once; those of a subresource, such as status,
// do not decide about the content.
func managersIn(fields []metav1.ManagedFieldsEntry) []string {
	var managers []string
	for _, entry := range fields {
		if entry.Subresource == "" && !slices.Contains(managers, entry.Manager) {
			managers = append(managers, entry.Manager)
		}
	}
	return managers
}
