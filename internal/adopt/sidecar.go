package adopt

import (
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// A Sidecar says which hosts workloads know, and what they do with others. It
// stays: a policy's objects are seen, or not seen, through it as the old ones
// were. Only its mode is taken over.
type sidecar struct {
	*object

	selector map[string]string
	imports  []string // namespace/host
	mode     string
	modeAt   fields.Field
}

func readSidecar(o *object) *sidecar {
	sc := &sidecar{object: o}
	s := fields.Root(new(fields.Problems), o.spec.Node, "spec").Object()
	sc.selector = s.Take("workloadSelector").Object().Take("labels").TextMap()
	egress := s.Take("egress").List()
	for _, element := range egress {
		for _, host := range element.Object().Take("hosts").Texts() {
			sc.imports = append(sc.imports, strings.ToLower(host))
		}
	}
	if len(egress) == 0 {
		sc.imports = []string{"*/*"}
	}
	policy := s.Take("outboundTrafficPolicy")
	sc.modeAt = policy.Object().Take("mode")
	if mode := sc.modeAt.NonEmpty(); mode != nil {
		sc.mode = *mode
	} else if policy.There() {
		// The zero value of the API.
		sc.mode = "REGISTRY_ONLY"
	}
	return sc
}

// knows reports whether the workloads know a host that a namespace declares.
func (sc *sidecar) knows(namespace, host string) bool {
	return slices.ContainsFunc(sc.imports, func(imported string) bool {
		from, name, ok := strings.Cut(imported, "/")
		if !ok {
			return false
		}
		return (from == "*" || from == namespace || from == "." && namespace == sc.namespace) && (covers(name, host) || name == "*")
	})
}
