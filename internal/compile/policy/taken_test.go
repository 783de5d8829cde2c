package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(json); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestTakenPorts(t *testing.T) {
	gateways := []*unstructured.Unstructured{
		parse(t, `{kind: Gateway, metadata: {name: ours, namespace: istio-egress}, spec: {selector: {istio: gw}, servers: [{port: {number: 10001}}, {port: {number: 10002}}]}}`),
		parse(t, `{kind: Gateway, metadata: {name: all-pods, namespace: other}, spec: {servers: [{port: {number: 10003}}]}}`),
		parse(t, `{kind: Gateway, metadata: {name: by-another-label, namespace: other}, spec: {selector: {app: x}, servers: [{port: {number: 10004}}]}}`),
		parse(t, `{kind: Gateway, metadata: {name: another-gateway, namespace: istio-egress}, spec: {selector: {istio: ingress}, servers: [{port: {number: 10005}}]}}`),
		parse(t, `{kind: Gateway, metadata: {name: a-second, namespace: istio-egress}, spec: {selector: {istio: gw}, servers: [{port: {number: 10001}}]}}`),
		parse(t, `{kind: Gateway, metadata: {name: broken, namespace: istio-egress}, spec: {selector: {istio: gw}, servers: [{}, 7]}}`),
	}
	services := []*unstructured.Unstructured{
		parse(t, `{kind: Service, apiVersion: v1, metadata: {name: gw, namespace: istio-egress}, spec: {selector: {istio: gw, app: gw}, ports: [{port: 80, targetPort: 8080}, {port: 443, targetPort: https}]}}`),
		parse(t, `{kind: Service, apiVersion: v1, metadata: {name: elsewhere, namespace: other}, spec: {selector: {istio: gw}, ports: [{port: 81}]}}`),
		parse(t, `{kind: Service, apiVersion: v1, metadata: {name: other-pods, namespace: istio-egress}, spec: {selector: {istio: ingress}, ports: [{port: 82}]}}`),
		parse(t, `{kind: Service, apiVersion: v1, metadata: {name: no-selector, namespace: istio-egress}, spec: {ports: [{port: 83}]}}`),
		parse(t, `{kind: Service, apiVersion: v1, metadata: {name: p-egw, namespace: istio-egress, labels: {experimental.istio.io/disable-gateway-port-translation: "true"}}, spec: {selector: {istio: gw}, ports: [{port: 84, targetPort: 10002}]}}`),
	}
	want := map[int64]string{
		10001: "Gateway/istio-egress/a-second",
		10002: "Gateway/istio-egress/ours",
		10003: "Gateway/other/all-pods",
		10004: "Gateway/other/by-another-label",
		80:    "Service/istio-egress/gw",
		8080:  "Service/istio-egress/gw",
		443:   "Service/istio-egress/gw",
	}
	got := policy.TakenPorts(compile.Reference{Name: "gw", Namespace: "istio-egress"}, gateways, services)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Gateways of one name in two namespaces have the same labels, and so the
// ports of both.
func TestTakenPortsOfAllNamespaces(t *testing.T) {
	there := compile.Reference{Name: "gw", Namespace: "other-egress"}
	p := valid()
	p.ByEgressGateway = &there
	var gateways []*unstructured.Unstructured
	for _, slot := range policy.Slots(p) {
		gateways = append(gateways, policy.GatewayObject(p, defaultMesh, slot, 10004+int64(len(gateways))).Body)
	}
	want := map[int64]string{10004: "Gateway/other-egress/gw-10004", 10005: "Gateway/other-egress/gw-10005"}
	if diff := cmp.Diff(want, policy.TakenPorts(compile.Reference{Name: "gw", Namespace: "istio-egress"}, gateways, nil)); diff != "" {
		t.Error(diff)
	}
	if taken := policy.TakenPorts(compile.Reference{Name: "gw2", Namespace: "istio-egress"}, gateways, nil); len(taken) > 0 {
		t.Errorf("other pods: %v", taken)
	}
}

// BenchmarkTakenPorts is what a policy costs beside the Gateways of a
// thousand others.
func BenchmarkTakenPorts(b *testing.B) {
	p := valid()
	var gateways []*unstructured.Unstructured
	for port := range int64(5000) {
		gateways = append(gateways, policy.GatewayObject(p, defaultMesh, policy.Slots(p)[0], 10000+port).Body)
	}
	for b.Loop() {
		if taken := policy.TakenPorts(*p.ByEgressGateway, gateways, nil); len(taken) != 5000 {
			b.Fatalf("%d ports", len(taken))
		}
	}
}
