// Package acctest is the harness of the acceptance tests: a control plane, a
// Terraform or OpenTofu executable, the provider inside the test process, and
// what a test needs to prepare and look at the cluster with.
//
// A package of acceptance tests has one TestMain and no other set-up:
//
//	package gateway_test
//
//	func TestMain(m *testing.M) { acctest.Main(m) }
//
//	func TestLifecycle(t *testing.T) {
//		f := acctest.New(t)                        // skips unless TF_ACC=1; runs in parallel
//		egress := f.GatewayNamespace("egress")     // unique name; the published RBAC is bound in it
//		shop := f.SourceNamespace("shop")
//		resource.Test(t, resource.TestCase{
//			ProtoV6ProviderFactories: f.ProviderFactories(),
//			CheckDestroy:             f.CheckNothingLeft,
//			Steps: []resource.TestStep{{
//				Config: f.Config(fmt.Sprintf(`resource "istio_egress_gateway" "a" { ... %q }`, egress)),
//			}},
//		})
//	}
//
// The control plane (package testbed) is started by the first test that calls
// New and ends with the package: tests share it and keep apart by namespaces.
//
// The provider in the tests is a ServiceAccount that has the permissions of
// examples/rbac and no others, so that what is published is proved by use.
// Fixture.Kube, Fixture.Istio and Fixture.Dynamic are the administrator's: they are for
// the test's own looks and edits.
//
// Environment:
//
//	TF_ACC=1                 run acceptance tests; without it they are skipped, and say so
//	KUBECONFIG               the cluster for the tests that are safe for any (NewAnywhere)
//	ACCTEST_KUBECONFIG_ONLY=1  only those tests; all others are skipped
//	ACCTEST_CLI=terraform    (default), terraform-1.8 to terraform-1.15, or tofu: which CLI drives the tests
//	ACCTEST_ISTIO_CRDS       a version of Istio, or a file: the CRDs to test with, instead of those of the istiod
//	TF_ACC_TERRAFORM_PATH    an executable to use instead of the one that testbed finds or builds
//	CI                       non-empty: what is missing is a failure, never a skip
package acctest
