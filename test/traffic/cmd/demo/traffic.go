package main

import (
	"context"
	"net"
	"net/url"
	"os"

	"k8s.io/apimachinery/pkg/types"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/demo"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"

	"github.com/meshegress/terraform-provider-istio/test/traffic/mesh"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// traffic is the demo's, on a mesh.
type traffic struct{ mesh *mesh.Mesh }

var _ demo.Traffic = &traffic{}

// Start runs the pods of a control plane.
func (t *traffic) Start(ctx context.Context, cp *testbed.ControlPlane) (err error) {
	t.mesh, err = mesh.Start(ctx, cp)
	return err
}

// Call lets a pod make a call.
func (t *traffic) Call(ctx context.Context, pod demo.Pod, to, path string) (demo.Answer, error) {
	target, err := url.Parse(to)
	if err != nil {
		return demo.Answer{}, err
	}
	port := target.Port()
	if port == "" {
		port = map[string]string{sandbox.HTTP: "80", sandbox.HTTPS: "443"}[target.Scheme]
	}
	answer, _, err := t.mesh.Call(ctx, types.UID(pod.UID), sandbox.Call{
		Protocol: target.Scheme, Address: net.JoinHostPort(target.Hostname(), port), ID: path,
	})
	if err != nil {
		return demo.Answer{}, err
	}
	result := demo.Answer{Status: answer.Status, Text: answer.Body + answer.Error}
	if echo := answer.Echo; echo != nil {
		result.Outside, result.Peer, result.TLS = true, echo.Peer, echo.TLS
	}
	return result, nil
}

// Log returns what the proxy of a pod has written.
func (t *traffic) Log(pod demo.Pod) (string, error) {
	text, err := os.ReadFile(t.mesh.LogFile(types.UID(pod.UID), mesh.Proxy))
	return string(text), err
}

// Within returns the command that runs another one in the network of a pod.
func (t *traffic) Within(pod demo.Pod) string { return t.mesh.Within(types.UID(pod.UID)) }
