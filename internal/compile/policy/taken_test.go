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
