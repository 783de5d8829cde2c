package settings

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// KindDeployment is the kind of istiod's workload.
var KindDeployment = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}

// ControlPlane is what istiod of one revision goes by.
type ControlPlane struct {
	// ConfigMap is the mesh config that the chart writes and an edit goes to.
	ConfigMap manifest.ID
	// Found is false if there is no such ConfigMap, or none with the key.
	Found bool
	// Config is what it says, over the shared mesh config if there is one.
	Config meshconfig.Config
	// Shared is the ConfigMap of istiod's SHARED_MESH_CONFIG, zero if it has none.
	Shared manifest.ID
	// Deployment of istiod; nil if it was not found under the chart's name, or
	// may not be read.
	Deployment *unstructured.Unstructured
	// Problem is why a part of this is not known: it may not be read, or it is
	// no mesh config.
	Problem error

	// primaryMode and sharedMode are who says the mode.
	primaryMode, sharedMode string
}

// planesState holds the control planes that this process has looked at.
type planesState struct {
	sync.Mutex
	seen map[string]ControlPlane
}

// ControlPlane reads istiod's configuration for a revision, once in this
// process unless ForgetControlPlane is called. That RBAC keeps a part of it
// away is a Problem in the answer; a cluster that does not answer is an error.
func (p *Provider) ControlPlane(ctx context.Context, client *cluster.Client, revision string) (ControlPlane, error) {
	p.planes.Lock()
	defer p.planes.Unlock()
	if seen, ok := p.planes.seen[revision]; ok {
		return seen, nil
	}
	plane, err := p.controlPlane(ctx, client, revision)
	if err != nil {
		return plane, err
	}
	if p.planes.seen == nil {
		p.planes.seen = map[string]ControlPlane{}
	}
	p.planes.seen[revision] = plane
	return plane, nil
}

// ForgetControlPlane is for who has edited a mesh config.
func (p *Provider) ForgetControlPlane() {
	p.planes.Lock()
	defer p.planes.Unlock()
	p.planes.seen = nil
}

func (p *Provider) controlPlane(ctx context.Context, client *cluster.Client, revision string) (ControlPlane, error) {
	namespace := p.Mesh.RootNamespace
	plane := ControlPlane{ConfigMap: meshconfig.ConfigMap(namespace, revision)}
	get := func(id manifest.ID) (*unstructured.Unstructured, error) {
		live, err := client.Get(ctx, id)
		if apierrors.IsForbidden(err) {
			plane.Problem, err = err, nil
		}
		return live, err
	}
	read := func(id manifest.ID) (found bool, config meshconfig.Config, err error) {
		live, err := get(id)
		if err != nil || live == nil {
			return false, config, err
		}
		text, found := cluster.TextOf(live, meshconfig.Key)
		if !found {
			return false, config, nil
		}
		if config, err = meshconfig.Parse(text); err != nil {
			plane.Problem = fmt.Errorf("%s: %w", id, err)
		}
		return true, config, nil
	}

	var primary, shared meshconfig.Config
	var err error
	if plane.Found, primary, err = read(plane.ConfigMap); err != nil {
		return plane, err
	}
	if plane.Deployment, err = get(istiod(namespace, revision)); err != nil {
		return plane, err
	}
	if name := environmentOf(plane.Deployment, "SHARED_MESH_CONFIG"); name != "" {
		plane.Shared = meshconfig.ConfigMapID(namespace, name)
		if _, shared, err = read(plane.Shared); err != nil {
			return plane, err
		}
	}
	plane.Config = primary.Over(shared)
	plane.primaryMode, plane.sharedMode = primary.OutboundMode, shared.OutboundMode
	return plane, nil
}

// MeshMode returns what the mesh configs say about undeclared hosts.
func (c ControlPlane) MeshMode() outbound.MeshMode {
	switch {
	case c.primaryMode != "":
		return outbound.MeshMode{Mode: c.primaryMode, Object: c.ConfigMap.String()}
	case c.Problem != nil:
		return outbound.MeshMode{Unknown: true}
	case c.sharedMode != "":
		return outbound.MeshMode{Mode: c.sharedMode, Object: c.Shared.String()}
	}
	return outbound.MeshMode{}
}

// RootNamespace returns the namespace whose Sidecar is for all, which the mesh
// config may say to be another one than istiod's own.
func (c ControlPlane) RootNamespace() string {
	if c.Config.RootNamespace != "" {
		return c.Config.RootNamespace
	}
	return c.ConfigMap.Namespace
}

// istiod returns the Deployment of a revision, as the chart names it.
func istiod(namespace, revision string) manifest.ID {
	name := "istiod"
	if revision != "" && revision != "default" {
		name += "-" + revision
	}
	return manifest.ID{GVK: KindDeployment, Namespace: namespace, Name: name}
}

// istiodSelector selects istiod's Deployments (manifests/charts/istio-control/istio-discovery).
const istiodSelector = "app=istiod"

// Istiods returns the Deployments of the control planes in a namespace.
func Istiods(ctx context.Context, client *cluster.Client, namespace string) ([]*unstructured.Unstructured, error) {
	return client.ListExactly(ctx, KindDeployment, namespace, istiodSelector)
}

// RevisionOf returns the revision of an istiod.
func RevisionOf(deployment *unstructured.Unstructured) string {
	if revision := deployment.GetLabels()[compile.LabelRevision]; revision != "" {
		return revision
	}
	return "default"
}

// Revisions returns the revisions of the control planes in a namespace, sorted.
func Revisions(ctx context.Context, client *cluster.Client, namespace string) ([]string, error) {
	istiods, err := Istiods(ctx, client, namespace)
	var revisions []string
	for _, deployment := range istiods {
		revisions = append(revisions, RevisionOf(deployment))
	}
	slices.Sort(revisions)
	return slices.Compact(revisions), err
}

// environmentOf returns a variable of a Deployment's containers that is set to
// a plain value.
func environmentOf(deployment *unstructured.Unstructured, name string) string {
	if deployment == nil {
		return ""
	}
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	for _, container := range containers {
		fields, _ := container.(map[string]any)
		variables, _, _ := unstructured.NestedSlice(fields, "env")
		for _, variable := range variables {
			if v, ok := variable.(map[string]any); ok && v["name"] == name {
				value, _ := v["value"].(string)
				return value
			}
		}
	}
	return ""
}
