// Package kubelet runs the pods of one Node as machines of package fabric: what a
// kubelet, a container runtime, a network plugin and kube-proxy would do, as far
// as a mesh depends on it.
//
// A pod is what istiod's webhook has made of it. Its istio-init container's
// arguments become iptables rules in the pod's network namespace, and its
// istio-proxy container runs: pilot-agent with the container's arguments and
// environment (field and resource references resolved), with the volumes that the
// container mounts (projected tokens, ConfigMaps, the downward API), as user
// 1337. Only what has no meaning without images is replaced: the paths of Envoy and
// of its bootstrap template, and istiod's port. Other containers are not run; in
// their place is the workload of package sandbox. Hooks (preStop) are not run.
//
// A pod is Ready when the readiness probes of its containers say so, is asked to
// end when it is deleted, and is gone when its processes are. The Node's Lease is
// renewed, as otherwise the control plane takes all endpoints away.
package kubelet
