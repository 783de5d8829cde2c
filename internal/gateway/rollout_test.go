package gateway_test

import (
	"context"
	"regexp"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// inOrder matches texts with anything between them. Terraform breaks its
// output into lines, so blanks match any white space.
func inOrder(texts ...string) *regexp.Regexp {
	blank := regexp.MustCompile(`\s+`)
	pattern := `(?s)`
	for i, text := range texts {
		if i > 0 {
			pattern += `.*`
		}
		pattern += blank.ReplaceAllString(regexp.QuoteMeta(text), `[\s│]+`)
	}
	return regexp.MustCompile(pattern)
}

// TestRolloutReasons: a create whose pods do not come up says why. What was
// written stays in state, and the next apply replaces it.
func TestRolloutReasons(t *testing.T) {
	for name, test := range map[string]struct {
		prepare    func(f *acctest.Fixture, namespace string)
		attributes string
		reason     *regexp.Regexp
		repair     func(f *acctest.Fixture, namespace string)
	}{
		"injection is off": {
			prepare: func(f *acctest.Fixture, namespace string) { label(f, namespace, "istio-injection", "disabled") },
			reason:  inOrder("Deployment/", "/a did not become ready", "istio-injection=disabled"),
			repair:  func(f *acctest.Fixture, namespace string) { label(f, namespace, "istio-injection", "enabled") },
		},
		"quota": {
			prepare: func(f *acctest.Fixture, namespace string) {
				f.Apply(namespace, "{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {pods: 0}}}")
			},
			reason: inOrder("Deployment/", "/a did not become ready", "exceeded quota: none"),
			repair: func(f *acctest.Fixture, namespace string) { f.Delete("ResourceQuota", namespace, "none") },
		},
		"no node fits": {
			attributes: `node_selector = { "example.com/absent" = "true" }`,
			reason:     inOrder("Deployment/", "/a did not become ready", "didn't match Pod's node affinity/selector"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := acctest.New(t)
			namespace := f.GatewayNamespace("rollout")
			if test.prepare != nil {
				test.prepare(f, namespace)
			}
			resource.Test(t, resource.TestCase{
				ProtoV6ProviderFactories: f.ProviderFactories(),
				CheckDestroy:             f.CheckNothingLeft,
				Steps: []resource.TestStep{
					{
						Config:      f.Config(gateway(namespace, test.attributes)),
						ExpectError: test.reason,
					},
					{
						PreConfig: func() {
							if test.repair != nil {
								test.repair(f, namespace)
							}
						},
						Config: f.Config(minimal(namespace)),
						ConfigPlanChecks: resource.ConfigPlanChecks{
							PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, plancheck.ResourceActionDestroyBeforeCreate)},
							PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
						},
					},
				},
			})
		})
	}
}

// TestRolloutOfUpdate: an update whose pods do not come up leaves the gateway
// as planned, and is no reason to replace it.
func TestRolloutOfUpdate(t *testing.T) {
	f := acctest.New(t)
	namespace := f.GatewayNamespace("rollout")
	stuck := gateway(namespace, `node_selector = { "example.com/absent" = "true" }`)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{Config: f.Config(minimal(namespace))},
			{Config: f.Config(stuck), ExpectError: inOrder("did not become ready", "didn't match Pod's node affinity/selector")},
			{Config: f.Config(stuck), ConfigPlanChecks: empty},
			{Config: f.Config(minimal(namespace)), ConfigPlanChecks: action(plancheck.ResourceActionUpdate)},
			{
				Config:           f.Config(gateway(namespace, "node_selector = { \"example.com/absent\" = \"true\" }\nwait_for_rollout = false")),
				ConfigPlanChecks: action(plancheck.ResourceActionUpdate),
			},
		},
	})
}

// TestWebhookDown: without istiod the API server can neither validate Istio
// objects nor have pods injected. The error says which webhook, and nothing
// waits for the whole timeout's sake once istiod is back.
func TestWebhookDown(t *testing.T) {
	f := acctest.NewAlone(t)
	namespace := f.GatewayNamespace("webhook")
	// Without Istio objects it is the pods that the webhook keeps from coming.
	podsOnly := "access_log = false\nauthorization = \"none\"\ntimeouts = { create = \"10s\" }"
	stop := func() {
		if err := f.ControlPlane().StopIstiod(); err != nil {
			t.Fatal(err)
		}
	}
	// In the last step, or after a step that failed, for the destroy.
	start := sync.OnceFunc(func() {
		if err := f.ControlPlane().StartIstiod(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
	stop()
	t.Cleanup(start)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: f.ProviderFactories(),
		CheckDestroy:             f.CheckNothingLeft,
		Steps: []resource.TestStep{
			{
				Config:      f.Config(gateway(namespace, podsOnly)),
				ExpectError: inOrder("Deployment/", "/a did not become ready", "failed calling webhook", "sidecar-injector.istio.io"),
			},
			{
				Config:      f.Config(gateway(namespace, `timeouts = { create = "5s", delete = "1m" }`)),
				ExpectError: inOrder("AuthorizationPolicy/", "webhook"),
			},
			{
				PreConfig: start,
				Config:    f.Config(minimal(namespace)),
			},
		},
	})
}

// label sets a label of a namespace.
func label(f *acctest.Fixture, namespace, key, value string) {
	t := f.T()
	t.Helper()
	object, err := f.Kube.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
	if err == nil {
		object.Labels[key] = value
		_, err = f.Kube.CoreV1().Namespaces().Update(t.Context(), object, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}
