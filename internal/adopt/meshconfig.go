package adopt

import (
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

// readMesh returns the policy that the mesh config says, nil if it says none.
func readMesh(o *object, r *report) *outbound.Policy {
	text := o.spec.Peek("mesh")
	nodes, err := fields.Documents(text)
	if err != nil || len(nodes) != 1 {
		return nil
	}
	var ignored fields.Problems
	config := fields.Root(&ignored, nodes[0], "data.mesh")
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

func isMode(mode string) bool {
	for _, known := range outbound.Modes() {
		if mode == known {
			return true
		}
	}
	return false
}

// readMode returns the policy that a Sidecar says, nil if it says none that
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
