package proxyview

import (
	"errors"
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

// Sidecar says whose proxy the view is.
type Sidecar struct {
	// Namespace of the workload. Required.
	Namespace string
	// Labels of the workload, by which Sidecar objects and routes select it.
	Labels map[string]string
	// ServiceAccount of the workload; default: "default".
	ServiceAccount string
	// Revision of the control plane, as in the label istio.io/rev; default: "default".
	Revision string
}

// node is how the proxy introduces itself. Its fields are those of pilot-agent's
// (istio.io/istio/pkg/model/proxy.go: NodeMetadata). The address belongs to no pod,
// so that istiod has nothing but these fields to go by.
func (s Sidecar) node() (*corev3.Node, error) {
	if s.Namespace == "" {
		return nil, errors.New("proxyview: a sidecar needs a namespace")
	}
	if s.ServiceAccount == "" {
		s.ServiceAccount = "default"
	}
	if s.Revision == "" {
		s.Revision = "default"
	}
	labels := map[string]any{}
	for name, value := range s.Labels {
		labels[name] = value
	}
	pod := podName()
	metadata, err := structpb.NewStruct(map[string]any{
		"NAME":              pod,
		"NAMESPACE":         s.Namespace,
		"LABELS":            labels,
		"SERVICE_ACCOUNT":   s.ServiceAccount,
		"ISTIO_REVISION":    s.Revision,
		"ISTIO_VERSION":     "1.31.1",
		"CLUSTER_ID":        "Kubernetes",
		"INTERCEPTION_MODE": "REDIRECT",
	})
	if err != nil {
		return nil, fmt.Errorf("proxyview: labels: %w", err)
	}
	return &corev3.Node{
		Id:       fmt.Sprintf("sidecar~192.0.2.1~%s.%s~%[2]s.svc.cluster.local", pod, s.Namespace),
		Metadata: metadata,
	}, nil
}
