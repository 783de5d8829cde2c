package gateway

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
	"github.com/meshegress/terraform-provider-istio/internal/values"
)

// Model is the resource: the intent, which the user writes, and what the
// provider computes. It can be decoded only where the intent is wholly known.
type Model struct {
	workload.Gateway
	Computed
}

// Computed are the attributes that the provider answers.
type Computed struct {
	Facts
	Addresses
	Manifests types.Map `tfsdk:"manifests"`
	Drift     types.Map `tfsdk:"drift"`
}

// Facts follow from the intent alone: the plan knows them.
//
// What Reference has and the intent has not stands beside it under the same
// name: Terraform takes a whole gateway for `by_egress_gateway` too, as an
// object that has the attributes of a reference, and it must be the same one.
type Facts struct {
	ServiceHost    types.String `tfsdk:"service_host"`
	Selector       types.Map    `tfsdk:"selector"`
	ServiceAccount types.String `tfsdk:"service_account"`
	Reference      types.Object `tfsdk:"reference"`
}

// Addresses are what the cluster gives the Service.
type Addresses struct {
	ClusterIP           types.String `tfsdk:"cluster_ip"`
	LoadBalancerIngress types.List   `tfsdk:"load_balancer_ingress"`
}

// Identity is the resource's identity.
type Identity struct {
	Namespace string `tfsdk:"namespace"`
	Name      string `tfsdk:"name"`
}

func identityOf(g workload.Gateway) Identity { return Identity{Namespace: g.Namespace, Name: g.Name} }

// importID returns the identity in the form that `terraform import` takes.
func (i Identity) importID() string { return i.Namespace + "/" + i.Name }

var (
	referenceTypes = map[string]attr.Type{
		"name": types.StringType, "namespace": types.StringType, "selector": types.MapType{ElemType: types.StringType},
		"mutual_tls": types.BoolType, "authorization": types.StringType, "revision": types.StringType,
		"service_account": types.StringType,
	}
	ingressType = types.ObjectType{AttrTypes: map[string]attr.Type{"ip": types.StringType, "hostname": types.StringType}}
)

// factsOf returns what follows from the intent.
func factsOf(g workload.Gateway, mesh compile.Mesh) Facts {
	return factsOfReference(workload.Reference(g, mesh), mesh.ServiceHost(g.Name, g.Namespace))
}

func factsOfReference(reference compile.Reference, host string) Facts {
	return Facts{
		ServiceHost:    types.StringValue(host),
		Selector:       values.Map(reference.Selector),
		ServiceAccount: types.StringPointerValue(reference.ServiceAccount),
		Reference: types.ObjectValueMust(referenceTypes, map[string]attr.Value{
			"name":            types.StringValue(reference.Name),
			"namespace":       types.StringValue(reference.Namespace),
			"selector":        values.Map(reference.Selector),
			"mutual_tls":      types.BoolPointerValue(reference.MutualTLS),
			"authorization":   types.StringPointerValue(reference.Authorization),
			"revision":        types.StringPointerValue(reference.Revision),
			"service_account": types.StringPointerValue(reference.ServiceAccount),
		}),
	}
}

func unknownFacts() Facts {
	return Facts{
		ServiceHost:    types.StringUnknown(),
		Selector:       types.MapUnknown(types.StringType),
		ServiceAccount: types.StringUnknown(),
		Reference:      types.ObjectUnknown(referenceTypes),
	}
}

func unknownAddresses() Addresses {
	return Addresses{ClusterIP: types.StringUnknown(), LoadBalancerIngress: types.ListUnknown(ingressType)}
}

// addressesOf reads the addresses from the live Service, which may be nil.
func addressesOf(live *unstructured.Unstructured) Addresses {
	var service corev1.Service
	if live != nil {
		// What the API server says of a Service has the form of a Service.
		_ = runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, &service)
	}
	var ingress []attr.Value
	for _, point := range service.Status.LoadBalancer.Ingress {
		ingress = append(ingress, types.ObjectValueMust(ingressType.AttrTypes, map[string]attr.Value{
			"ip":       values.TextOrNull(point.IP),
			"hostname": values.TextOrNull(point.Hostname),
		}))
	}
	return Addresses{
		ClusterIP:           values.TextOrNull(service.Spec.ClusterIP),
		LoadBalancerIngress: types.ListValueMust(ingressType, ingress),
	}
}

// settle fills in what the plan left unknown, and only that: what it promised
// stays, the next refresh sees the rest.
func (a Addresses) settle(live *unstructured.Unstructured) Addresses {
	now := addressesOf(live)
	if a.ClusterIP.IsUnknown() {
		a.ClusterIP = now.ClusterIP
	}
	if a.LoadBalancerIngress.IsUnknown() {
		a.LoadBalancerIngress = now.LoadBalancerIngress
	}
	return a
}

// attributes returns the computed attributes by name.
func (c Computed) attributes() values.Attributes {
	all := values.Attributes{"manifests": c.Manifests, "drift": c.Drift}
	maps.Copy(all, c.Facts.attributes())
	maps.Copy(all, c.Addresses.attributes())
	return all
}

func (f Facts) attributes() values.Attributes {
	return values.Attributes{"service_host": f.ServiceHost, "selector": f.Selector, "service_account": f.ServiceAccount, "reference": f.Reference}
}

func (a Addresses) attributes() values.Attributes {
	return values.Attributes{"cluster_ip": a.ClusterIP, "load_balancer_ingress": a.LoadBalancerIngress}
}
