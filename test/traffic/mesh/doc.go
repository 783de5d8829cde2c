// Package mesh is a mesh in which packets flow: the pods of a control plane with real
// Envoy proxies (kubelet), and external hosts (outside), on one machine and with no way
// out of it (fabric). An executable that has one begins with:
//
//	mesh.Play() // pods are processes of the same executable
//	if missing := fabric.Missing(); missing != "" { ... }
//	if err := mesh.Enter(ctx, root, testbed.TerraformCLI); err != nil { ... }
//	// from here on in namespaces of its own
//	cp, err := testbed.Start(ctx, mesh.ControlPlane())
//	m, err := mesh.Start(ctx, cp)
//	answer, arrived, err := m.Call(ctx, uid, sandbox.Call{Protocol: sandbox.HTTP, Address: "httpbin.org:80"})
package mesh
