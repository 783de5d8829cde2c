package cluster

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// guarded are the fields of a built-in kind below which an addition by others
// is drift: it changes which pods are meant, or what runs in them.
var guarded = map[string][]string{
	"Deployment":              {"spec.template.spec"},
	"Service":                 {"spec.selector", "spec.type", "spec.ports", "spec.externalIPs", "spec.externalName"},
	"HorizontalPodAutoscaler": {"spec"},
	"PodDisruptionBudget":     {"spec"},
	"NetworkPolicy":           {"spec"},
	"ConfigMap":               {"data", "binaryData"},
	"Role":                    {"rules"},
	"RoleBinding":             {"subjects", "roleRef"},
}

// structural are the fields that count whoever owns them, and also where
// managedFields were wiped: none of them has a server default.
var structural = map[string][]string{
	"Deployment": {
		"spec.template.spec.containers", "spec.template.spec.initContainers", "spec.template.spec.volumes",
		"spec.template.spec.hostNetwork", "spec.template.spec.hostPID", "spec.template.spec.hostIPC",
		"spec.template.spec.hostAliases",
		"spec.template.spec.containers.command", "spec.template.spec.containers.args",
		"spec.template.spec.containers.env", "spec.template.spec.containers.envFrom",
		"spec.template.spec.containers.volumeMounts", "spec.template.spec.containers.lifecycle",
		"spec.template.spec.containers.securityContext.privileged",
	},
	"Service":       {"spec.ports", "spec.externalIPs"},
	"NetworkPolicy": {"spec.ingress", "spec.egress"},
}

// controllers write into the objects of others as their work.
var controllers = []string{"kube-controller-manager", "kube-apiserver", "kubectl-rollout", "cloud-controller-manager", "service-controller"}

// aliases are deprecated names of fields that the server keeps equal to the
// real ones (k8s.io/api/core/v1 PodSpec).
var aliases = []string{"spec.template.spec.serviceAccount"}

// additions returns the fields of the live object that others added and that
// count, each at its topmost path.
func additions(desired, live *unstructured.Unstructured, have *typed.TypedValue, wanted *fieldpath.Set, owners fieldOwners) *fieldpath.Set {
	kind := desired.GetKind()
	added := fieldpath.NewSet()
	consider := func(p fieldpath.Path) {
		if touches(wanted, p) || valueAt(live.Object, p) == nil || below(p, aliases) || isDefault(live, p) {
			return
		}
		for n := 1; n < len(p); n++ {
			if added.Has(p[:n]) {
				return
			}
		}
		added.Insert(slices.Clone(p))
	}
	for _, owner := range owners {
		if owner.ours() || owner.subresource != "" || slices.Contains(controllers, owner.manager) {
			continue
		}
		owner.fields.Iterate(func(p fieldpath.Path) {
			if below(p, guarded[kind]) {
				consider(topmost(p, wanted))
			}
		})
	}
	if all, err := have.ToFieldSet(); err == nil {
		all.Iterate(func(p fieldpath.Path) {
			for _, prefix := range structural[kind] {
				if n := under(p, prefix); n > 0 {
					// An item of the list, or the field itself; what is inside of an item has defaults.
					if n < len(p) && p[n].FieldName == nil {
						n++
					}
					consider(topmost(p[:n], wanted))
				}
			}
		})
	}
	return added
}

// topmost shortens a path to the first step at which it leaves what we want:
// an added container is one addition, not twenty.
func topmost(p fieldpath.Path, wanted *fieldpath.Set) fieldpath.Path {
	for n := 1; n < len(p); n++ {
		if !touches(wanted, p[:n]) {
			return p[:n]
		}
	}
	return p
}

// touches reports whether a path, something below it, or a whole above it
// that is atomic to us, is wanted.
func touches(wanted *fieldpath.Set, p fieldpath.Path) bool {
	at := wanted
	for i, element := range p {
		if at.Members.Has(element) {
			_, deeper := at.Children.Get(element)
			if i == len(p)-1 || !deeper {
				return true
			}
		}
		next, ok := at.Children.Get(element)
		if !ok {
			return false
		}
		at = next
	}
	return true
}

// below reports whether a path is one of the prefixes or leads on from one.
func below(p fieldpath.Path, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return under(p, prefix) > 0 })
}

// under returns how many steps of a path a prefix of field names takes, items
// of lists passed over; 0 if it does not lead there.
func under(p fieldpath.Path, prefix string) int {
	n := 0
	for field := range strings.SplitSeq(prefix, ".") {
		for n < len(p) && p[n].FieldName == nil {
			n++
		}
		if n == len(p) || *p[n].FieldName != field {
			return 0
		}
		n++
	}
	return n
}
