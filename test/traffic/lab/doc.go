// Package lab gives a test a mesh in which packets flow (package mesh) on the control
// plane of its acctest.Fixture, and what a test needs there: workloads, calls that have
// to come to something, streams of them.
//
//	func TestMain(m *testing.M) { lab.Main(m) }
//
//	func TestX(t *testing.T) {
//		l := lab.New(t) // an acctest.Fixture, and more
//		shop := l.SourceNamespace("shop")
//		pod := l.Run(lab.Workload{Namespace: shop, Name: "a", Account: "a", Labels: lab.Labels{"app": "a"}})[0]
//		w := l.Workspace(l.CLI, l.Config(hcl)) // the provider of this checkout, real Terraform
//		w.Expect(0, acctest.Apply)
//		gateway := l.Pods(egress, lab.Labels{"istio": "egressgateway-a"}, 1)
//		l.Expect(pod, lab.HTTP("httpbin.org"), lab.Through(301, gateway...))
//		l.Expect(other, lab.HTTP("httpbin.org"), lab.Refused(503, "no healthy upstream"))
//	}
//
// Needs Linux, iptables, and root, that of a user namespace included (README.md). Where
// they are missing, tests are skipped, with the reason, and fail where CI is set.
// TRAFFIC_KEEP=<folder> keeps the logs of all pods of a run there.
package lab
