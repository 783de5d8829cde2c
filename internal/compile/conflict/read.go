package conflict

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// get returns a field without copying it; nil if it is not there.
func get(fields map[string]any, path ...string) any {
	var value any = fields
	for _, step := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[step]
	}
	return value
}

// items returns the objects of a list.
func items(fields map[string]any, path ...string) []map[string]any {
	list, _ := get(fields, path...).([]any)
	found := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if object, ok := item.(map[string]any); ok {
			found = append(found, object)
		}
	}
	return found
}

// texts returns the strings of a list.
func texts(fields map[string]any, path ...string) []string {
	list, _ := get(fields, path...).([]any)
	found := make([]string, 0, len(list))
	for _, item := range list {
		if text, ok := item.(string); ok {
			found = append(found, text)
		}
	}
	return found
}

// hostsOf returns the hosts of a VirtualService or ServiceEntry. Istio compares
// them in lower case.
func hostsOf(object *unstructured.Unstructured) []string {
	hosts := texts(object.Object, "spec", "hosts")
	for i := range hosts {
		hosts[i] = strings.ToLower(hosts[i])
	}
	return hosts
}

func text(fields map[string]any, path ...string) string {
	value, _ := get(fields, path...).(string)
	return value
}

func number(fields map[string]any, path ...string) int64 {
	switch value := get(fields, path...).(type) {
	case int64:
		return value
	case float64:
		return int64(value)
	}
	return 0
}

// selector returns a map of labels.
func selector(fields map[string]any, path ...string) map[string]string {
	values, _ := get(fields, path...).(map[string]any)
	labels := make(map[string]string, len(values))
	for key, value := range values {
		labels[key], _ = value.(string)
	}
	return labels
}

// visible reports whether an object is exported to a namespace. Without
// exportTo it is public, unless the mesh config says otherwise.
func visible(object *unstructured.Unstructured, namespace string) bool {
	exported, _ := get(object.Object, "spec", "exportTo").([]any)
	if len(exported) == 0 {
		return true
	}
	return slices.ContainsFunc(exported, func(to any) bool {
		return to == "*" || to == namespace || to == "." && namespaceOf(object) == namespace
	})
}

// namespaceOf reads what GetNamespace does, without its detours: where many
// policies share a host each of them looks at the objects of all.
func namespaceOf(object *unstructured.Unstructured) string {
	return text(object.Object, "metadata", "namespace")
}

// byHost are VirtualServices by their hosts. A policy with
// thousands of hosts meets thousands of objects, its own at least.
type byHost struct {
	all       []*unstructured.Unstructured
	exact     map[string][]*unstructured.Unstructured
	wildcards []*unstructured.Unstructured
}

func hosted(objects []*unstructured.Unstructured) byHost {
	sorted := byHost{all: objects, exact: map[string][]*unstructured.Unstructured{}}
	for _, object := range objects {
		for _, host := range hostsOf(object) {
			if strings.HasPrefix(host, "*") {
				sorted.wildcards = append(sorted.wildcards, object)
			} else {
				sorted.exact[host] = append(sorted.exact[host], object)
			}
		}
	}
	return sorted
}

// mayHave returns all objects with the host, or with one that overlaps with it.
func (b byHost) mayHave(host string) []*unstructured.Unstructured {
	if strings.HasPrefix(host, "*") {
		return b.all
	}
	if len(b.wildcards) == 0 {
		return b.exact[host]
	}
	return slices.Concat(b.exact[host], b.wildcards)
}

// matches reports whether a name, or the wildcard that it is, covers a host,
// which may be a wildcard itself.
func matches(name, host string) bool {
	if suffix, ok := strings.CutPrefix(name, "*"); ok {
		return strings.HasSuffix(host, suffix)
	}
	return name == host
}

// overlaps reports whether two names, either of which may be a wildcard, have
// a host in common (pkg/config/host, Name.Matches).
func overlaps(a, b string) bool { return matches(a, b) || matches(b, a) }

// below reports whether a host is one of those that a wildcard stands for, and
// not the wildcard itself.
func below(wildcard, host string) bool { return host != wildcard && matches(wildcard, host) }

// wildcards returns the wildcards that cover a host, itself if it is one: for
// a.b.example *.b.example, *.example and *.
func wildcards(host string) []string {
	all := []string{"*"}
	_, rest, _ := strings.Cut(host, ".")
	for rest != "" {
		all = append(all, "*."+rest)
		_, rest, _ = strings.Cut(rest, ".")
	}
	return all
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
