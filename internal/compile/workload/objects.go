package workload

import (
	"encoding/json"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Stages of a gateway's objects.
const (
	// The Service comes first and goes last: it carries the intent, so a
	// create that broke off after any write can be imported.
	stageService = iota
	// What guards the pods is there before them, and outlives them.
	stageGuards
	// A RoleBinding names a Role and a ServiceAccount.
	stageBindings
	stagePods
	// What acts on the Deployment.
	stageControllers

	// LastStage is that of what is written last and deleted first.
	LastStage = stageControllers
)

// GroupVersionKinds of everything that a gateway consists of.
var (
	KindService             = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	KindServiceAccount      = schema.GroupVersionKind{Version: "v1", Kind: "ServiceAccount"}
	KindRole                = schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"}
	KindRoleBinding         = schema.GroupVersionKind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"}
	KindDeployment          = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	KindAutoscaler          = schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}
	KindDisruptionBudget    = schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}
	KindNetworkPolicy       = schema.GroupVersionKind{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"}
	KindAuthorizationPolicy = schema.GroupVersionKind{Group: "security.istio.io", Version: "v1", Kind: "AuthorizationPolicy"}
	KindTelemetry           = schema.GroupVersionKind{Group: "telemetry.istio.io", Version: "v1", Kind: "Telemetry"}
)

// Kinds are all of them.
var Kinds = []schema.GroupVersionKind{
	KindService, KindServiceAccount, KindRole, KindRoleBinding, KindDeployment, KindAutoscaler,
	KindDisruptionBudget, KindNetworkPolicy, KindAuthorizationPolicy, KindTelemetry,
}

// Objects returns the objects of the gateway in the order in which they are
// written. The intent is valid (see Validate).
func Objects(g Gateway, mesh compile.Mesh) []manifest.Object {
	c := compiler{g, mesh}
	objects := []manifest.Object{
		c.service(),
		c.serviceAccount(),
		c.role(),
	}
	if compile.Authorization(g.Authorization) == compile.AuthorizationAllowListed {
		objects = append(objects, c.defaultDeny())
	}
	if g.NetworkPolicy {
		objects = append(objects, c.networkPolicy())
	}
	if g.AccessLog {
		objects = append(objects, c.telemetry())
	}
	objects = append(objects, c.roleBinding(), c.deployment())
	if g.Autoscaling != nil {
		objects = append(objects, c.autoscaler())
	}
	if g.PodDisruptionBudget != nil {
		objects = append(objects, c.disruptionBudget())
	}
	return objects
}

// Reference returns what a policy's `by_egress_gateway` takes.
func Reference(g Gateway, mesh compile.Mesh) compile.Reference {
	c := compiler{g, mesh}
	reference := compile.Reference{
		Name:          g.Name,
		Namespace:     g.Namespace,
		Selector:      Selector(g.Name),
		MutualTLS:     &g.MutualTLS,
		Authorization: &g.Authorization,
		// That of the ServiceAccount that the gateway has.
		ServiceAccount: &g.Name,
	}
	if revision := c.revision(); revision != "" {
		reference.Revision = &revision
	}
	return reference
}

// Selector returns the label that Istio objects select the gateway's pods by.
func Selector(name string) map[string]string {
	return map[string]string{compile.GatewayLabel: name}
}

// Intent reads the intent back from the annotations of a gateway's Service.
// It reports false if there is none.
func Intent(annotations map[string]string) (Gateway, bool, error) {
	var g Gateway
	text, ok := annotations[compile.AnnotationSpec]
	if !ok {
		return g, false, nil
	}
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return g, true, fmt.Errorf("annotation %s: %w", compile.AnnotationSpec, err)
	}
	return g, true, nil
}

// compiler holds the two inputs that every kind is made of.
type compiler struct {
	Gateway

	mesh compile.Mesh
}

// revision returns the `istio.io/rev` of objects and pods, empty for none.
func (c compiler) revision() string { return or(c.Revision, c.mesh.Revision) }

// podSelector returns the labels by which Deployment, Service and the other
// core kinds select the pods: those of Istio's chart.
func (c compiler) podSelector() map[string]string {
	return map[string]string{labelApp: c.Name, compile.GatewayLabel: c.Name}
}

// labels returns the labels of every object.
func (c compiler) labels() map[string]string {
	labels := maps.Clone(c.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, compile.BaseLabels(c.revision()))
	maps.Copy(labels, c.podSelector())
	labels[labelName] = c.Name
	return labels
}

// object completes one object: a body of the kind's own fields gets type and
// metadata.
func (c compiler) object(stage int, kind schema.GroupVersionKind, name string, fields any) manifest.Object {
	body := &unstructured.Unstructured{Object: plain(fields)}
	body.SetGroupVersionKind(kind)
	body.SetName(name)
	body.SetNamespace(c.Namespace)
	body.SetLabels(c.labels())
	if len(c.Annotations) > 0 {
		body.SetAnnotations(maps.Clone(c.Annotations))
	}
	return manifest.Object{Key: manifest.Key(kind.Kind, c.Namespace, name), Stage: stage, Body: body}
}

// plain turns an apply configuration or an Istio message into JSON values.
func plain(fields any) map[string]any {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(fmt.Sprintf("workload: %T is not JSON: %v", fields, err))
	}
	values := map[string]any{}
	// Unlike encoding/json it makes integers int64, as unstructured wants them.
	if err := utiljson.Unmarshal(text, &values); err != nil {
		panic(fmt.Sprintf("workload: %T is no JSON object: %v", fields, err))
	}
	return values
}
