// Package demo plays what the provider does, on a real kube-apiserver and a real
// istiod that it starts itself and ends again: plan, apply, a hand edit seen in the
// next plan, its repair, and destroy.
//
// Every step prints the command that it runs and checks what the command shows; Main
// ends with 0 only if every step showed what it should. It asks nothing, and it
// touches no cluster but its own: KUBECONFIG and KUBE_* of the caller are not handed
// on.
//
// With a Traffic the pods of the control plane are real, and between the steps the
// demo's workloads make calls: before and after apply, after the hand edit and after
// its repair. It checks what becomes of each of them.
package demo
