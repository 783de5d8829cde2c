package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/meshconfig"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// absentError is a control plane that is not where it was looked for.
type absentError struct{ configMap manifest.ID }

// Summary is the short text of the error's diagnostic.
func (e *absentError) Summary() string { return "No mesh config" }

func (e *absentError) Error() string {
	return fmt.Sprintf("ConfigMap %s/%s does not exist, or has no key %q. Its name says the revision, its namespace is the provider's `istio_namespace`: "+
		"set `revision`, or `istio_namespace` of the provider block, to where the control plane is.", e.configMap.Namespace, e.configMap.Name, meshconfig.Key)
}

// look is what the cluster says of a mesh.
type look struct {
	revision string
	plane    settings.ControlPlane
	// istiods are the Deployments of all revisions.
	istiods  []*unstructured.Unstructured
	sidecars outbound.Sidecars
	// ambient are the names of the namespaces in ambient mode; ambientKnown is
	// false where RBAC does not let namespaces be listed.
	ambient      []string
	ambientKnown bool
}

var kindNamespace = schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}

// Labels of istiod's Deployment (manifests/charts/istio-control/istio-discovery)
// and of namespaces in ambient mode (istio.io/api/label, IoIstioDataplaneMode).
const (
	labelVersion    = "app.kubernetes.io/version"
	ambientSelector = "istio.io/dataplane-mode=ambient"
)

// rest reads what stands beside the mesh config.
func (l *look) rest(ctx context.Context, client *cluster.Client) error {
	istiods, err := settings.Istiods(ctx, client, l.plane.ConfigMap.Namespace)
	if err != nil && !apierrors.IsForbidden(err) {
		return err
	}
	l.istiods = istiods
	sidecars, err := client.List(ctx, outbound.KindSidecar, "", "")
	if err != nil {
		return err
	}
	l.sidecars = outbound.NewSidecars(sidecars, l.plane.RootNamespace(), l.revision)
	namespaces, err := client.ListExactly(ctx, kindNamespace, "", ambientSelector)
	if apierrors.IsForbidden(err) {
		return nil
	}
	l.ambientKnown = err == nil
	for _, namespace := range namespaces {
		l.ambient = append(l.ambient, namespace.GetName())
	}
	slices.Sort(l.ambient)
	return err
}

// versionOf returns the version of an istiod: its chart's label, else the tag
// of its image.
func versionOf(deployment *unstructured.Unstructured) string {
	if deployment == nil {
		return ""
	}
	if version := deployment.GetLabels()[labelVersion]; version != "" {
		return version
	}
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		container, _ := c.(map[string]any)
		image, _ := container["image"].(string)
		image, _, _ = strings.Cut(image, "@")
		if at := strings.LastIndex(image, ":"); at > strings.LastIndex(image, "/") && container["name"] == "discovery" {
			return image[at+1:]
		}
	}
	return ""
}
