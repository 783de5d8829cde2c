package trafficpolicy

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// absentGateway warns of a gateway that is nowhere to be seen: this run does not
// plan it, and no Service leads to pods with its labels. The ones that look are
// not allowed to see pods. Nothing is said where Services cannot be listed.
func (r *Resource) absentGateway(ctx context.Context, client *cluster.Client, gateway compile.Reference) (diag.Diagnostics, error) {
	if r.provider.PlansGateway(gateway) {
		return nil, nil
	}
	services, err := client.Find(ctx, serviceGVK, byNamespace, []string{gateway.Namespace}, []string{gateway.Namespace})
	if err != nil || len(services.Refused) > 1 { // of all namespaces, and of this one
		return nil, err
	}
	for _, service := range services.Objects {
		if leadsTo(service, gateway.PodSelector()) {
			return nil, nil
		}
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("by_egress_gateway"), "Gateway does not exist",
		diagnose.NoGateway.With(fmt.Sprintf("In namespace %s no Service leads to pods with the labels %s, so gateway %s/%s is not there now. "+
			"Until it is, calls that this policy grants fail. Check name, namespace and selector. If this run makes the gateway, take the reference "+
			"from what makes it, such as istio_egress_gateway.<name>.reference, so that it is made first.",
			gateway.Namespace, labels.Set(gateway.PodSelector()), gateway.Namespace, gateway.Name)))}, nil
}

// byNamespace finds objects by their namespace.
var byNamespace = &cluster.Index{Keys: func(object *unstructured.Unstructured) []string { return []string{object.GetNamespace()} }}

// leadsTo reports whether a Service that is not a policy's selects pods with the
// labels. It may name other labels of theirs too, but at least one of these.
func leadsTo(service *unstructured.Unstructured, pods map[string]string) bool {
	if service.GetLabels()[compile.LabelPolicy] != "" {
		return false
	}
	selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	shared := false
	for key, value := range pods {
		if other, ok := selector[key]; ok {
			if other != value {
				return false
			}
			shared = true
		}
	}
	return shared
}
