package testbed

import (
	"context"
	"errors"
)

// errExternal: asked of a control plane that this process did not start.
var errExternal = errors.New("this control plane is the cluster of KUBECONFIG: it cannot be stopped or counted from here")

// StopAPIServer ends kube-apiserver alone, in an orderly way; etcd keeps its data.
func (cp *ControlPlane) StopAPIServer() error { return cp.halt(cp.apiserver, true) }

// KillAPIServer ends kube-apiserver as a crash would.
func (cp *ControlPlane) KillAPIServer() error { return cp.halt(cp.apiserver, false) }

// StartAPIServer starts it again, at the same address, and waits until it is ready.
func (cp *ControlPlane) StartAPIServer(ctx context.Context) error {
	if cp.External {
		return errExternal
	}
	if err := cp.apiserver.start(); err != nil {
		return err
	}
	return cp.apiReady(ctx, "/readyz")
}

// StopIstiod ends istiod: its webhooks refuse connections from now on, with failure
// policy Fail.
func (cp *ControlPlane) StopIstiod() error { return cp.halt(cp.istiod, false) }

// StartIstiod starts it again, at the same addresses, and waits until its webhooks work.
func (cp *ControlPlane) StartIstiod(ctx context.Context) error {
	if cp.External {
		return errExternal
	}
	if cp.istiod == nil {
		return errors.New("this control plane was started without Istio")
	}
	if err := cp.istiod.start(); err != nil {
		return err
	}
	return cp.istioReady(ctx)
}

// StopControllers ends kube-controller-manager: no ReplicaSet, no garbage
// collection, no end of a terminating namespace until StartControllers.
func (cp *ControlPlane) StopControllers() error { return cp.halt(cp.controllers, false) }

// StartControllers starts kube-controller-manager again.
func (cp *ControlPlane) StartControllers() error {
	if cp.External {
		return errExternal
	}
	return cp.controllers.start()
}

func (cp *ControlPlane) halt(p *process, graceful bool) error {
	if cp.External {
		return errExternal
	}
	if p == nil {
		return errors.New("this control plane was started without Istio")
	}
	return p.end(graceful)
}
