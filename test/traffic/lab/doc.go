// Package lab is a mesh in which packets flow: a control plane (internal/acctest),
// pods with real Envoy proxies (kubelet), and external hosts (outside), on one
// machine and with no way out of it (fabric).
//
//	func TestMain(m *testing.M) { lab.Main(m) }
//
//	func TestX(t *testing.T) {
//		l := lab.New(t)                                  // an acctest.Fixture, and more
//		shop := l.SourceNamespace("shop")
//		pod := l.Workload(shop, "sleep-a", lab.Labels{"app": "sleep-a"}) // waits until it is ready
//		w := l.Workspace(l.CLI, l.Config(hcl))           // the provider of this checkout, real Terraform
//		w.Expect(0, acctest.Apply)
//		l.Expect(pod, lab.HTTP("httpbin.org"), lab.Through(gateway...))
//	}
//
// Needs Linux, root and iptables. Where they are missing, tests are skipped, with
// the reason, and fail where CI is set. TRAFFIC_KEEP=<folder> keeps the logs of all
// pods of a run there.
package lab
