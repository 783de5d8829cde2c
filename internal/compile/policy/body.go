package policy

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// The API versions that are written. Both are served since Istio 1.22.
const (
	networkingV1 = "networking.istio.io/v1"
	securityV1   = "security.istio.io/v1"
)

// The stages in which the objects of a policy are written. In each moment of
// the walk traffic is as closed as before or after it: the port is reserved
// first and leads nowhere, the gateway learns its upstreams before it is
// reachable, and the source-side ServiceEntry, which takes the direct path
// away, comes when the path through the gateway is complete. The shared
// AuthorizationPolicy follows the Service, because the Service is what counts
// as its user.
const (
	stageGateway = iota
	stageUpstream
	stageUpstreamRule
	stageService
	stageAuthorization
	stageGatewayRoute
	stageClientRule
	stageMeshRoute
	stageSource
)

// meta is the metadata that a body is built with.
type meta struct {
	name, namespace     string
	labels, annotations map[string]string
}

// istioBody returns an object of one of Istio's kinds. The spec is one of the
// structs of istio.io/api.
//
// Their JSON leaves out zero values, and some enums mean something with their
// zero (MESH_EXTERNAL, NONE, PASSTHROUGH, ALLOW). adjust writes these out, so
// that the object says what it means and server-side apply owns the field.
func istioBody(apiVersion, kind string, m meta, spec proto.Message, adjust func(spec map[string]any)) *unstructured.Unstructured {
	// What MarshalJSON of these structs gives as well, at twice the speed.
	text, err := protojson.Marshal(spec)
	fields := toMap(spec, text, err)
	if adjust != nil {
		adjust(fields)
	}
	return newBody(apiVersion, kind, m, map[string]any{"spec": fields})
}

func newBody(apiVersion, kind string, m meta, fields map[string]any) *unstructured.Unstructured {
	fields["apiVersion"] = apiVersion
	fields["kind"] = kind
	body := &unstructured.Unstructured{Object: fields}
	body.SetName(m.name)
	body.SetNamespace(m.namespace)
	body.SetLabels(m.labels)
	if len(m.annotations) > 0 {
		body.SetAnnotations(m.annotations)
	}
	return body
}

// toMap turns the JSON of a struct into the form of an unstructured body:
// integers as int64, as the Kubernetes decoder has them.
func toMap(v any, text []byte, err error) map[string]any {
	if err != nil {
		// The structs of istio.io/api and of Kubernetes hold nothing that JSON
		// cannot.
		panic(fmt.Sprintf("policy: %T is not JSON: %v", v, err))
	}
	fields := map[string]any{}
	if err := utiljson.Unmarshal(text, &fields); err != nil {
		panic(fmt.Sprintf("policy: %T is not a JSON object: %v", v, err))
	}
	return fields
}

// object wraps a body that has the usual key.
func object(stage int, body *unstructured.Unstructured) manifest.Object {
	return manifest.Object{
		Key:   manifest.Key(body.GetKind(), body.GetNamespace(), body.GetName()),
		Stage: stage,
		Body:  body,
	}
}

// child returns the object under key, which it must have, as a map.
func child(fields map[string]any, key string) map[string]any { return fields[key].(map[string]any) }

// children returns the list of objects under key; none if there is no such key.
func children(fields map[string]any, key string) []map[string]any {
	list, _ := fields[key].([]any)
	maps := make([]map[string]any, 0, len(list))
	for _, item := range list {
		maps = append(maps, item.(map[string]any))
	}
	return maps
}
