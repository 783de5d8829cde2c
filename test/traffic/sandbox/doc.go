// Package sandbox is what runs inside a pod of the lab: first the commands of the
// pod's init containers (the rules that send its traffic through Envoy), then its
// proxy, and in place of the application a workload that makes calls on request.
//
// The kubelet starts it as a machine of package fabric with a Task; tests ask it
// for calls through a Unix socket (Client).
package sandbox
