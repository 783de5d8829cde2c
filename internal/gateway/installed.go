package gateway

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// installed is a gateway as the cluster has it, whoever put it there. Of
// Service and Deployment one may be nil.
type installed struct {
	identity                         Identity
	service, deployment, defaultDeny *unstructured.Unstructured
}

// reference returns what policies take to use the gateway.
//
// Of a gateway of this provider the Service says it all. Of another one the
// selector is the Service's, the revision that of the pods, and whoever does
// not find our AuthorizationPolicy in front of it takes it as open: the first
// policy must not close it to those who use it today. Any gateway that Istio
// injects can serve mutual TLS.
func (i installed) reference(mesh compile.Mesh) (compile.Reference, diag.Diagnostics) {
	var diags diag.Diagnostics
	if i.service != nil {
		intent, ours, err := workload.Intent(i.service.GetAnnotations())
		if err != nil {
			diags.AddError("The gateway cannot be read", fmt.Sprintf("Service %s: %s. It was written by another version of the provider, or edited by hand.", i.identity.importID(), err))
			return compile.Reference{}, diags
		}
		if ours && identityOf(intent) == i.identity {
			reference := workload.Reference(intent, mesh)
			reference.Revision = i.revision()
			return reference, diags
		}
	}
	selector := i.selector()
	if len(selector) == 0 {
		diags.AddError("The gateway selects no pods", fmt.Sprintf("Neither Service nor Deployment %s has a selector, so its pods cannot be named to Istio.", i.identity.importID()))
		return compile.Reference{}, diags
	}
	authorization := string(compile.AuthorizationNone)
	if i.defaultDeny != nil {
		authorization = string(compile.AuthorizationAllowListed)
	}
	mutualTLS := true
	return compile.Reference{
		Name:           i.identity.Name,
		Namespace:      i.identity.Namespace,
		Selector:       selector,
		MutualTLS:      &mutualTLS,
		Authorization:  &authorization,
		Revision:       i.revision(),
		ServiceAccount: i.serviceAccount(selector),
	}, diags
}

// typedService and typedDeployment are zero for what does not exist. What the
// API server says has the form of its kind.
func (i installed) typedService() (service corev1.Service) {
	if i.service != nil {
		_ = runtime.DefaultUnstructuredConverter.FromUnstructured(i.service.Object, &service)
	}
	return service
}

func (i installed) typedDeployment() (deployment appsv1.Deployment) {
	if i.deployment != nil {
		_ = runtime.DefaultUnstructuredConverter.FromUnstructured(i.deployment.Object, &deployment)
	}
	return deployment
}

// selector returns the labels of the pods that the Service leads to.
func (i installed) selector() map[string]string {
	if selector := i.typedService().Spec.Selector; len(selector) > 0 {
		return maps.Clone(selector)
	}
	if selector := i.typedDeployment().Spec.Selector; selector != nil {
		return maps.Clone(selector.MatchLabels)
	}
	return nil
}

// revision returns the control plane revision that the pods ask for.
func (i installed) revision() *string {
	for _, all := range []map[string]string{
		i.typedDeployment().Spec.Template.Labels, i.typedDeployment().Labels, i.typedService().Labels,
	} {
		if revision := all[compile.LabelRevision]; revision != "" {
			return &revision
		}
	}
	return nil
}

// serviceAccount returns the service account of the Deployment, if its pods are
// those that are selected. Who else runs pods with these labels is not the gateway.
func (i installed) serviceAccount(selector map[string]string) *string {
	template := i.typedDeployment().Spec.Template
	if i.deployment == nil || !labels.SelectorFromSet(selector).Matches(labels.Set(template.Labels)) {
		return nil
	}
	// The API server gives a pod that names none this one.
	account := cmp.Or(template.Spec.ServiceAccountName, "default")
	return &account
}

// dataPort is a port of the live Service.
type dataPort struct {
	Name        *string `tfsdk:"name"`
	Port        int64   `tfsdk:"port"`
	TargetPort  *int64  `tfsdk:"target_port"`
	Protocol    string  `tfsdk:"protocol"`
	AppProtocol *string `tfsdk:"app_protocol"`
	NodePort    *int64  `tfsdk:"node_port"`
}

func (i installed) ports() []dataPort {
	ports := []dataPort{}
	for _, p := range i.typedService().Spec.Ports {
		port := dataPort{
			Port:        int64(p.Port),
			TargetPort:  i.target(p),
			Protocol:    string(p.Protocol),
			AppProtocol: p.AppProtocol,
		}
		if p.Name != "" {
			port.Name = &p.Name
		}
		if p.NodePort != 0 {
			node := int64(p.NodePort)
			port.NodePort = &node
		}
		ports = append(ports, port)
	}
	return ports
}

// target returns the number of a target port; a name is looked up among the
// Deployment's containers.
func (i installed) target(p corev1.ServicePort) *int64 {
	number := int64(p.TargetPort.IntVal)
	if p.TargetPort.Type == intstr.String {
		number = 0
		for _, container := range i.typedDeployment().Spec.Template.Spec.Containers {
			for _, port := range container.Ports {
				if port.Name == p.TargetPort.StrVal {
					number = int64(port.ContainerPort)
				}
			}
		}
	}
	if number == 0 {
		return nil
	}
	return &number
}
