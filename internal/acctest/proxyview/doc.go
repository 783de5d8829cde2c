// Package proxyview asks istiod what it tells the Envoy proxy of a workload. It
// poses as the sidecar of a workload, which need not exist, on istiod's plaintext
// xDS port:
//
//	view, err := proxyview.Connect(ctx, cp.Istiod.XDS, proxyview.Sidecar{
//		Namespace: "shop", Labels: map[string]string{"app": "a"},
//	})
//	if err != nil { ... }
//	defer view.Close()
//	err = view.WaitUndeclared(ctx, proxyview.BlackHole) // the first push that says so
//
// The connection stays open and takes every push, as a real sidecar does: what a
// test waits for may be true already or come with a later push.
package proxyview
