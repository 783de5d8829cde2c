package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// manifestArgs is the installation of the chart that we take, minus what needs
// containers. With a default revision validation covers every object.
var manifestArgs = []string{"manifest", "generate", "--set", "profile=minimal", "--set", "values.defaultRevision=default"}

// istioManifest is what istioctl prints, sorted by when it is needed.
type istioManifest struct {
	objects  []*unstructured.Unstructured // RBAC, ConfigMaps, Services
	crds     []*unstructured.Unstructured
	webhooks []*unstructured.Unstructured
	env      []string // of istiod's container, literal values only
}

// loadManifest reads the rendered chart from beside the executable, whose folder
// is named after the pins; istioctl takes a second to render it.
func loadManifest(ctx context.Context, out io.Writer, istio string) (*istioManifest, error) {
	path := filepath.Join(filepath.Dir(istio), "manifest.yaml")
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		began := time.Now()
		cmd := exec.CommandContext(ctx, istio, append([]string{"istioctl"}, manifestArgs...)...)
		cmd.Env = cleanEnv("KUBECONFIG=" + os.DevNull)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if content, err = cmd.Output(); err != nil {
			return nil, fmt.Errorf("istioctl manifest generate: %w\n%s", err, stderr.String())
		}
		progress(out, began, "rendered the Istio chart")
		part := fmt.Sprintf("%s.%d", path, os.Getpid())
		if err = os.WriteFile(part, content, 0o644); err == nil {
			err = os.Rename(part, path)
		}
	}
	if err != nil {
		return nil, err
	}
	return parseManifest(content)
}

func parseManifest(content []byte) (*istioManifest, error) {
	m, err := sortManifest(content)
	if err != nil {
		return nil, fmt.Errorf("the rendered Istio chart: %w", err)
	}
	if len(m.objects) == 0 || len(m.crds) == 0 || len(m.webhooks) == 0 {
		return nil, errors.New("the rendered Istio chart has no objects: remove the cache folder of istio and start again")
	}
	return m, nil
}

// sortManifest reads a stream of objects.
func sortManifest(content []byte) (*istioManifest, error) {
	m := &istioManifest{}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		switch object.GetKind() {
		case "":
		case "Deployment":
			m.env = literalEnv(object)
		case "HorizontalPodAutoscaler", "PodDisruptionBudget":
			// They belong to the Deployment that runs as a process here.
		case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
			m.webhooks = append(m.webhooks, object)
		case "CustomResourceDefinition":
			m.crds = append(m.crds, object)
		default:
			m.objects = append(m.objects, object)
		}
	}
	return m, nil
}

// literalEnv is the environment that the chart gives istiod, without what comes
// from fields and secrets of a pod.
func literalEnv(deployment *unstructured.Unstructured) []string {
	var env []string
	containers, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		container, _ := c.(map[string]any)
		entries, _, _ := unstructured.NestedSlice(container, "env")
		for _, e := range entries {
			entry, _ := e.(map[string]any)
			name, _ := entry["name"].(string)
			if value, ok := entry["value"].(string); ok && name != "KUBECONFIG" {
				env = append(env, name+"="+value)
			}
		}
	}
	return env
}

// resourceOf spells the kinds of this one chart as resources.
func resourceOf(object *unstructured.Unstructured) schema.GroupVersionResource {
	plural, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
	return plural
}
