package proxyview_test

import (
	"context"
	"testing"
	"time"

	networkingv1 "istio.io/client-go/pkg/apis/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"istio.io/api/networking/v1alpha3"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/proxyview"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// A Sidecar object of a namespace narrows what the namespace's workloads may call,
// and only theirs; one with a selector wins for the workloads that it selects.
func TestUndeclared(t *testing.T) {
	f := acctest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	closed, open := f.Namespace("closed"), f.Namespace("open")
	connect := func(namespace, app string) *proxyview.View {
		view, err := proxyview.Connect(ctx, f.ControlPlane().Istiod.XDS,
			proxyview.Sidecar{Namespace: namespace, Labels: map[string]string{"app": app}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(view.Close)
		return view
	}
	plain, excepted, other := connect(closed, "plain"), connect(closed, "excepted"), connect(open, "plain")
	for _, view := range []*proxyview.View{plain, excepted, other} {
		if cluster, err := view.Undeclared(ctx); err != nil || cluster != proxyview.PassThrough {
			t.Fatalf("before any Sidecar: %q, %v", cluster, err)
		}
	}

	sidecar := func(name string, labels map[string]string, mode v1alpha3.OutboundTrafficPolicy_Mode) {
		object := &networkingv1.Sidecar{ObjectMeta: metav1.ObjectMeta{Name: name}}
		object.Spec.OutboundTrafficPolicy = &v1alpha3.OutboundTrafficPolicy{Mode: mode}
		if labels != nil {
			object.Spec.WorkloadSelector = &v1alpha3.WorkloadSelector{Labels: labels}
		}
		if _, err := f.Istio.NetworkingV1().Sidecars(closed).Create(ctx, object, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	sidecar("excepted", map[string]string{"app": "excepted"}, v1alpha3.OutboundTrafficPolicy_ALLOW_ANY)
	sidecar("default", nil, v1alpha3.OutboundTrafficPolicy_REGISTRY_ONLY)
	if err := plain.WaitUndeclared(ctx, proxyview.BlackHole); err != nil {
		t.Error(err)
	}
	// New connections see the state of now, with nothing to wait for.
	for what, view := range map[string]*proxyview.View{"excepted": connect(closed, "excepted"), "other namespace": connect(open, "plain")} {
		if cluster, err := view.Undeclared(ctx); err != nil || cluster != proxyview.PassThrough {
			t.Errorf("%s: %q, %v", what, cluster, err)
		}
	}
}
