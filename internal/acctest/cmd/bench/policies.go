package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// policyKinds are the kinds that a policy on a gateway consists of.
var policyKinds = []schema.GroupVersionResource{
	{Group: "networking.istio.io", Version: "v1", Resource: "gateways"},
	{Group: "networking.istio.io", Version: "v1", Resource: "serviceentries"},
	{Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"},
	{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
	{Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"},
	{Group: "", Version: "v1", Resource: "services"},
}

// object is one live object, as somebody would apply it.
type object struct {
	resource schema.GroupVersionResource
	body     *unstructured.Unstructured
}

const ours = "app.kubernetes.io/managed-by=terraform-provider-istio"

// policies measures the provider and returns the objects that it made.
func (l *lab) policies(ctx context.Context, count int) (operations, []object, error) {
	w, err := l.workspace("policies", fmt.Sprintf(`
terraform {
  required_providers {
    istio = { source = "meshegress/istio" }
  }
}
provider "istio" {}
resource "istio_egress_traffic_policy" "p" {
  count             = %d
  name              = "p${count.index}"
  by_egress_gateway = { name = "egressgateway-a", namespace = %q }
  egress_rules = [{
    name = "rule"
    from = [{ namespace = %q, workload_selector = { app = "sleep-a" }, service_accounts = ["sleep-a"] }]
    to = [{
      name  = "api"
      hosts = ["api-${count.index}.partner.example"]
      port  = { name = "https", number = 443, protocol = "HTTPS" }
    }]
  }]
}
`, count, gatewayNamespace, sourceNamespace))
	if err != nil {
		return operations{}, nil, err
	}
	var objects []object
	o, err := l.operate(ctx, w, func() error {
		objects, err = l.objects(ctx)
		return err
	})
	return o, objects, err
}

// objects reads what the provider has made, without what the server adds.
func (l *lab) objects(ctx context.Context) ([]object, error) {
	client, err := dynamic.NewForConfig(l.controlPlane.RESTConfig)
	if err != nil {
		return nil, err
	}
	var objects []object
	for _, resource := range policyKinds {
		list, err := client.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: ours})
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			body := &list.Items[i]
			for _, field := range []string{"managedFields", "uid", "resourceVersion", "generation", "creationTimestamp"} {
				unstructured.RemoveNestedField(body.Object, "metadata", field)
			}
			unstructured.RemoveNestedField(body.Object, "status")
			for _, field := range []string{"clusterIP", "clusterIPs"} {
				unstructured.RemoveNestedField(body.Object, "spec", field)
			}
			objects = append(objects, object{resource, body})
		}
	}
	return objects, nil
}
