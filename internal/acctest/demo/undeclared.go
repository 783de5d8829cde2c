package demo

import (
	"context"
	"fmt"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/proxyview"
)

// readMeshConfig are the arguments of kubectl that print the mesh config.
var readMeshConfig = []string{"-n", "istio-system", "get", "configmap", "istio", "-o", "jsonpath={.data.mesh}"}

// closed shows what the outbound traffic policy has changed.
func (s *stage) closed(ctx context.Context) error {
	say(s.out, "The mesh is closed for what no policy declares. Only this line of the mesh config has changed.")
	output, err := s.showKubectl(ctx, readMeshConfig...)
	if err := shows(output, err, "REGISTRY_ONLY"); err != nil {
		return err
	}
	if err := s.undeclared(ctx, proxyview.BlackHole); err != nil {
		return err
	}
	return s.calls(ctx, "And so it is: what no policy declares is out of reach, for everybody.",
		call{sleepA, undeclared, refused(502, "")}, call{sleepB, undeclared, refused(502, "")})
}

// undeclared waits until istiod tells a sidecar to send calls to hosts that
// nobody has declared to a cluster, and says so.
func (s *stage) undeclared(ctx context.Context, cluster string) error {
	view, err := proxyview.Connect(ctx, s.controlPlane.Istiod.XDS, proxyview.Sidecar{
		Namespace: sourceNamespace, Labels: map[string]string{"app": "sleep-b"}, ServiceAccount: "sleep-b",
	})
	if err != nil {
		return err
	}
	defer view.Close()
	if err := view.WaitUndeclared(ctx, cluster); err != nil {
		return err
	}
	what := map[string]string{
		proxyview.PassThrough: "they go out",
		proxyview.BlackHole:   "they get nowhere",
	}[cluster]
	_, err = fmt.Fprintf(s.out, "\nistiod tells the sidecar of sleep-b to send calls to undeclared hosts to %s: %s.\n", cluster, what)
	return err
}
