package adopt

import (
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// The mode of the mesh config, and those of Sidecars, become
// istio_outbound_traffic_policy where they are said. One that is not said is
// Istio's default, and stays that.

// configMap is the name of the mesh config's ConfigMap; `istio-<revision>`
// that of a revision (pilot/pkg/bootstrap/mesh.go).
const configMap = "istio"

// defaults are what the mesh configs say of objects that do not say it.
type defaults struct {
	// Namespaces that see an object without exportTo; none: all.
	services, virtuals, rules []string
	trustDomains              []string
}

// readDefaults reads the mesh configs. Of several, those of revisions among
// them, each can only narrow.
func (w *world) readDefaults() defaults {
	var d defaults
	for _, o := range w.objects {
		config, ok := meshConfig(o)
		if !ok {
			continue
		}
		for name, to := range map[string]*[]string{
			"defaultServiceExportTo": &d.services, "defaultVirtualServiceExportTo": &d.virtuals, "defaultDestinationRuleExportTo": &d.rules,
		} {
			if list, ok := config.Child(name); ok && !(len(list.Texts()) == 1 && list.Texts()[0] == "*") {
				*to = list.Texts()
			}
		}
		if domain := config.Peek("trustDomain"); domain != "" {
			d.trustDomains = append(d.trustDomains, domain)
		}
		if list, ok := config.Child("trustDomainAliases"); ok {
			d.trustDomains = append(d.trustDomains, list.Texts()...)
		}
	}
	return d
}

// meshConfig returns the text of a ConfigMap, if it is a mesh config.
func meshConfig(o *object) (fields.Field, bool) {
	if o.kind != kindConfigMap {
		return fields.Field{}, false
	}
	nodes, err := fields.Documents(o.spec.Peek("mesh"))
	if err != nil || len(nodes) != 1 {
		return fields.Field{}, false
	}
	return fields.Root(new(fields.Problems), nodes[0], "data.mesh"), true
}

// readMesh returns the policy that the mesh config says, nil if it says none.
func readMesh(o *object, r *report) *outbound.Policy {
	config, ok := meshConfig(o)
	if !ok {
		return nil
	}
	setting, ok := config.Child("outboundTrafficPolicy")
	if !ok {
		return nil
	}
	at := fields.Field{Path: "data.mesh, outboundTrafficPolicy.mode"}
	mode := setting.Peek("mode")
	if mode == "" {
		mode = "REGISTRY_ONLY" // the zero value of the API
	}
	if !isMode(mode) {
		r.add(Stays, o, at, "%s is no mode of istio_outbound_traffic_policy; the mesh config goes on saying it", mode)
		return nil
	}
	p := &outbound.Policy{Mode: mode}
	if revision, ok := strings.CutPrefix(o.name, configMap+"-"); ok {
		p.Revision = &revision
	}
	return p
}

func isMode(mode string) bool { return slices.Contains(outbound.Modes(), mode) }

// policy returns the policy that a Sidecar says, nil if it says none that
// one of ours could say.
func (sc *sidecar) policy(r *report) *outbound.Policy {
	switch {
	case sc.mode == "":
		return nil
	case !isMode(sc.mode):
		r.add(Stays, sc.object, sc.modeAt, "%s is no mode of istio_outbound_traffic_policy; the Sidecar goes on saying it", sc.mode)
		return nil
	case len(sc.selector) > 0:
		r.add(Stays, sc.object, sc.modeAt, "the Sidecar goes on saying %s for workloads %s: of two Sidecars with one selector Istio uses the older", sc.mode, labelText(sc.selector))
		return nil
	}
	return &outbound.Policy{Mode: sc.mode, Namespace: &sc.namespace}
}
