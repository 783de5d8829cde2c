package gateway

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// A gateway that somebody else installed is known by the service account of its own
// Deployment, if the Service leads to that one's pods.
func TestServiceAccountOfAnInstalledGateway(t *testing.T) {
	service := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{"selector": map[string]any{"istio": "egressgateway"}},
	}}
	deployment := func(label string, pod map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": map[string]any{
			"metadata": map[string]any{"labels": map[string]any{"istio": label, "app": "gateway"}}, "spec": pod,
		}}}}
	}
	for name, tt := range map[string]struct {
		deployment *unstructured.Unstructured
		want       string // empty: not known
	}{
		"named":                {deployment("egressgateway", map[string]any{"serviceAccountName": "istio-egressgateway-service-account"}), "istio-egressgateway-service-account"},
		"not named":            {deployment("egressgateway", map[string]any{}), "default"},
		"of other pods":        {deployment("ingressgateway", map[string]any{"serviceAccountName": "ingress"}), ""},
		"without a Deployment": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			reference, diags := installed{service: service, deployment: tt.deployment}.reference(compile.Mesh{})
			if diags.HasError() {
				t.Fatal(diags)
			}
			got := ""
			if reference.ServiceAccount != nil {
				got = *reference.ServiceAccount
			}
			if got != tt.want {
				t.Errorf("service account %q, want %q", got, tt.want)
			}
		})
	}
}
