// Package endtoend holds tests of the whole: the real terraform and tofu
// executables, the provider as a process, and the published examples, on a real
// control plane. What needs no process of its own is tested beside the resource.
package endtoend
