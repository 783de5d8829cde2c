// Package traffic shows with packets what the other tests show with configuration:
// from `terraform apply` to a request that an external server answers through a real
// gateway, and to one that gets nowhere.
//
// The lab is one process tree in namespaces of its own. Its parts, from the ground up:
//
//   - fabric: the network. TestMain runs the test executable once more as the first
//     process of new network, process and mount namespaces with a bridge and no way
//     out. Whatever ends it, the kernel cleans up.
//   - the control plane of internal/acctest/testbed, on the bridge's address, with
//     istiod set up for an Envoy that has none of Istio's own filters, and without
//     kwok.
//   - kubelet: runs the pods of the control plane's node. A pod is a network namespace
//     with a cable to the bridge, the iptables rules of its istio-init container, and
//     its istio-proxy container as pilot-agent and Envoy under user 1337, all as
//     istiod's webhook has written them. The Deployment of an istio_egress_gateway is
//     scheduled, injected, rolled and scaled like any other.
//   - sandbox: what runs inside a pod; a workload there makes calls on request.
//   - outside: external hosts with HTTP, HTTPS and TCP servers that answer with the
//     peer's address, Host and SNI that they saw and remember what has reached them, and
//     a name server.
//   - mesh: all of it on a control plane, for whoever starts one: the tests, and
//     cmd/demo, which is `make demo` with calls.
//   - lab: the mesh for a test, as an acctest.Fixture: provider of this checkout, real
//     Terraform, the permissions of examples/rbac.
//
// A call is proved twice: by the answer, which names the peer that the server saw, and
// where nothing may arrive by the server's memory. Calls are repeated until they come to
// what is wanted, as a mesh takes a moment to learn, and then some times more.
//
// The tests are the procedures of the products' documents, each with everybody who must
// not get through (refusals_test.go), and change under traffic. README.md has the table.
package traffic
