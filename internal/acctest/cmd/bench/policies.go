package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// policyKind is a kind, and where the API server has its objects.
type policyKind struct {
	kind string
	schema.GroupVersionResource
}

// policyKinds are the kinds that a policy on a gateway consists of.
var policyKinds = []policyKind{
	{"Gateway", schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "gateways"}},
	{"ServiceEntry", schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "serviceentries"}},
	{"DestinationRule", schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"}},
	{"VirtualService", schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"}},
	{"AuthorizationPolicy", schema.GroupVersionResource{Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"}},
	{"Service", schema.GroupVersionResource{Version: "v1", Resource: "services"}},
}

// resourceOf returns where the objects of a kind of a policy are.
func resourceOf(kind string) schema.GroupVersionResource {
	i := slices.IndexFunc(policyKinds, func(k policyKind) bool { return k.kind == kind })
	return policyKinds[i].GroupVersionResource
}

// object is one live object, as somebody would apply it.
type object struct {
	resource schema.GroupVersionResource
	body     *unstructured.Unstructured
}

// key names an object among those of all kinds.
func (o object) key() string {
	return o.body.GetKind() + "/" + o.body.GetNamespace() + "/" + o.body.GetName()
}

// work is what the provider made of its policies, for the others to make too.
type work struct {
	count int
	// objects are those after apply, changed those of them that are not the same
	// once one policy has changed, as they are then.
	objects, changed []object
	// stateBytes is the size of the provider's state.
	stateBytes int64
}

const ours = "app.kubernetes.io/managed-by=terraform-provider-istio"

// configuration is count policies of one HTTPS host and one source.
func configuration(count int) string {
	return edited + fmt.Sprintf(`
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
    from = [{
      namespace         = %q
      workload_selector = { app = var.edited && count.index == 0 ? "sleep-b" : "sleep-a" }
      service_accounts  = ["sleep-a"]
    }]
    to = [{
      name  = "api"
      hosts = ["api-${count.index}.partner.example"]
      port  = { name = "https", number = 443, protocol = "HTTPS" }
    }]
  }]
}
`, count, gatewayNamespace, sourceNamespace)
}

// policies measures the provider and returns the objects that it made.
func (l *lab) policies(ctx context.Context, count int) (life, work, error) {
	made := work{count: count}
	w, err := l.workspace("policies", configuration(count), "KUBE_CONFIG_PATH="+l.controlPlane.Kubeconfig)
	if err != nil {
		return life{}, made, err
	}
	o, err := l.live(ctx, w, l.provider, administrator, commands(true, func() (err error) {
		made.objects, err = l.objects(ctx)
		return err
	}, func() error {
		now, err := l.objects(ctx)
		made.changed = differing(made.objects, now)
		return err
	}))
	made.stateBytes = o.stateBytes
	if err == nil && o.discovery() > 0 {
		err = fmt.Errorf("the provider made %d discovery requests, it should make none", o.discovery())
	}
	return o, made, err
}

// objects reads what the provider has made, without what the server adds.
func (l *lab) objects(ctx context.Context) ([]object, error) {
	client, err := dynamic.NewForConfig(l.controlPlane.RESTConfig)
	if err != nil {
		return nil, err
	}
	var objects []object
	for _, kind := range policyKinds {
		resource := kind.GroupVersionResource
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

// differing returns the objects of now that are not the same before.
func differing(before, now []object) []object {
	text := func(o object) string {
		encoded, _ := o.body.MarshalJSON()
		return string(encoded)
	}
	old := map[string]string{}
	for _, o := range before {
		old[o.key()] = text(o)
	}
	var changed []object
	for _, o := range now {
		if text(o) != old[o.key()] {
			changed = append(changed, o)
		}
	}
	return changed
}

// afterChange are all objects as they are once one policy has changed.
func (w work) afterChange() []object {
	changed := map[string]object{}
	for _, o := range w.changed {
		changed[o.key()] = o
	}
	all := make([]object, len(w.objects))
	for i, o := range w.objects {
		all[i] = o
		if now, ok := changed[o.key()]; ok {
			all[i] = now
		}
	}
	return all
}

// asList is a JSON document that `kubectl -f` reads.
func asList(objects []object) (string, error) {
	items := make([]string, len(objects))
	for i, o := range objects {
		text, err := o.body.MarshalJSON()
		if err != nil {
			return "", err
		}
		items[i] = string(text)
	}
	return `{"apiVersion":"v1","kind":"List","items":[` + strings.Join(items, ",") + "]}", nil
}
