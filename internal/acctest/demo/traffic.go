package demo

import (
	"context"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// Traffic runs the pods of a control plane and lets them make calls.
type Traffic interface {
	// Start runs the pods of cp until the context ends.
	Start(ctx context.Context, cp *testbed.ControlPlane) error
	// Call lets the pod call a URL: http, https, or tcp for a line that is sent and a
	// line that is read. path becomes the path of the URL, or is the line. An error
	// says that the pod could not be asked, not that the call failed.
	Call(ctx context.Context, pod Pod, url, path string) (Answer, error)
	// Log returns what the proxy of the pod has written so far.
	Log(pod Pod) (string, error)
	// Within returns the command that runs another one, such as curl, in the network of
	// the pod, for a reader in another terminal.
	Within(pod Pod) string
}

// Pod names a pod.
type Pod struct{ Namespace, Name, UID, IP string }

// Answer is what became of a call.
type Answer struct {
	// Status of an HTTP response; 0: there was none.
	Status int
	// Text is what the caller sees of a refusal: what a proxy has answered, or the
	// system's error.
	Text string
	// Outside tells that a server outside has answered; Peer is the address of the
	// caller as that server saw it, and TLS whether the call came to it over TLS.
	Outside, TLS bool
	Peer         string
}
