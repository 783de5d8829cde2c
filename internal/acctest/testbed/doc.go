// Package testbed runs a real control plane for tests: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kwok (pods become Running and Ready) and
// istiod with working injection and validation webhooks, as processes on loopback
// with free ports. No containers, no root.
//
//	cp, err := testbed.Start(ctx, testbed.Options{})  // builds on first use, then seconds
//	if err != nil { ... }
//	defer cp.Stop()
//	cp.Kubeconfig; cp.RESTConfig; cp.Host; cp.CAData  // the administrator's
//
//	mark, _ := cp.Mark()
//	... // what is to be counted
//	requests, _ := cp.Requests(mark)                  // exact, from the audit log
//	requests.By("system:serviceaccount:ns:name").Count() // {"patch networking.istio.io/gateways": 1, ...}
//
//	cp.StopAPIServer(); cp.StartAPIServer(ctx)        // same address, data kept
//	cp.StopIstiod(); cp.StartIstiod(ctx)              // webhooks refuse connections meanwhile
//
//	testbed.Start(ctx, testbed.Options{Istio: new(bool)}) // no Istio CRDs, no istiod
//
//	path, err := testbed.Terraform(ctx)               // also OpenTofu, Istioctl, Kubectl, TerraformWheel, Envoy
//
// Several control planes run side by side, in one process or in many. All that
// Start started ends with the process that started it, however that ends.
//
// A pod whose container image is still `auto` (injection was off), or is
// `testbed.invalid/missing`, does not become Ready: it waits in ImagePullBackOff.
//
// Executables come from Go modules under test/controlplane, are built on first use
// (kubernetes 5 minutes, istio 4, tofu 3 on two cores) and kept in the user's cache
// directory under terraform-provider-istio, keyed by the modules' pins. What is
// there already is taken instead: KUBEBUILDER_ASSETS for etcd and kube-apiserver,
// TF_ACC_TERRAFORM_PATH, ENVOY_PATH, a terraform >= 1.15 or tofu >= 1.12 on PATH, and KUBECONFIG
// for tests that say they are safe on it (Options.UseKubeconfig).
//
// TESTBED_KEEP=1 keeps run directories (certificates, kubeconfigs, logs, audit log).
package testbed
