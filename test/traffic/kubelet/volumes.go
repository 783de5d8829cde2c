package kubelet

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func sortedKeys(values map[string]string) []string { return slices.Sorted(maps.Keys(values)) }

// mountVolumes writes what the container mounts below root. Tokens are not renewed:
// they live longer than the lab.
func (p *pod) mountVolumes(ctx context.Context, container corev1.Container, root string) error {
	for _, mount := range container.VolumeMounts {
		at := filepath.Join(root, mount.MountPath)
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		for _, volume := range p.object.Spec.Volumes {
			if volume.Name != mount.Name {
				continue
			}
			files, err := p.volume(ctx, volume.VolumeSource)
			if err != nil {
				return fmt.Errorf("volume %s: %w", volume.Name, err)
			}
			for name, content := range files {
				if err := os.WriteFile(filepath.Join(at, name), []byte(content), 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// volume returns the files of a volume, by name.
func (p *pod) volume(ctx context.Context, source corev1.VolumeSource) (map[string]string, error) {
	switch {
	case source.EmptyDir != nil:
		return nil, nil
	case source.ConfigMap != nil:
		return p.configMap(ctx, source.ConfigMap.Name, optional(source.ConfigMap.Optional), source.ConfigMap.Items)
	case source.Secret != nil:
		return p.secret(ctx, source.Secret.SecretName, optional(source.Secret.Optional), source.Secret.Items)
	case source.DownwardAPI != nil:
		return p.downwardFiles(source.DownwardAPI.Items)
	case source.Projected != nil:
		all := map[string]string{}
		for _, projection := range source.Projected.Sources {
			files, err := p.projection(ctx, projection)
			if err != nil {
				return nil, err
			}
			maps.Copy(all, files)
		}
		return all, nil
	}
	return nil, fmt.Errorf("no such volume in the lab: %v", source)
}

func (p *pod) projection(ctx context.Context, source corev1.VolumeProjection) (map[string]string, error) {
	switch {
	case source.ServiceAccountToken != nil:
		token, err := p.token(ctx, *source.ServiceAccountToken)
		return map[string]string{source.ServiceAccountToken.Path: token}, err
	case source.ConfigMap != nil:
		return p.configMap(ctx, source.ConfigMap.Name, optional(source.ConfigMap.Optional), source.ConfigMap.Items)
	case source.Secret != nil:
		return p.secret(ctx, source.Secret.Name, optional(source.Secret.Optional), source.Secret.Items)
	case source.DownwardAPI != nil:
		return p.downwardFiles(source.DownwardAPI.Items)
	}
	return nil, fmt.Errorf("no such projection in the lab: %v", source)
}

// token asks for a token that is bound to this pod.
func (p *pod) token(ctx context.Context, projection corev1.ServiceAccountTokenProjection) (string, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: projection.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: p.object.Name, UID: p.object.UID},
	}}
	if projection.Audience != "" {
		request.Spec.Audiences = []string{projection.Audience}
	}
	answer, err := p.kubelet.Client.CoreV1().ServiceAccounts(p.object.Namespace).
		CreateToken(ctx, p.object.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of %s: %w", p.object.Spec.ServiceAccountName, err)
	}
	return answer.Status.Token, nil
}

// configMap waits for a ConfigMap that must be there: istiod writes that with its
// root certificate a moment after the namespace has come.
func (p *pod) configMap(ctx context.Context, name string, optional bool, items []corev1.KeyToPath) (map[string]string, error) {
	for {
		object, err := p.kubelet.Client.CoreV1().ConfigMaps(p.object.Namespace).Get(ctx, name, metav1.GetOptions{})
		switch {
		case err == nil:
			return pick(object.Data, items), nil
		case apierrors.IsNotFound(err) && optional:
			return nil, nil
		case !apierrors.IsNotFound(err) || !p.wait(ctx):
			return nil, fmt.Errorf("read ConfigMap %s: %w", name, err)
		}
	}
}

func (p *pod) secret(ctx context.Context, name string, optional bool, items []corev1.KeyToPath) (map[string]string, error) {
	object, err := p.kubelet.Client.CoreV1().Secrets(p.object.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && optional {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	data := map[string]string{}
	for key, value := range object.Data {
		data[key] = string(value)
	}
	return pick(data, items), nil
}

func (p *pod) downwardFiles(items []corev1.DownwardAPIVolumeFile) (map[string]string, error) {
	files := map[string]string{}
	for _, item := range items {
		if item.FieldRef == nil {
			continue // requests and limits, which no proxy reads
		}
		value, err := p.field(item.FieldRef.FieldPath)
		if err != nil {
			return nil, err
		}
		files[item.Path] = value
	}
	return files, nil
}

func pick(data map[string]string, items []corev1.KeyToPath) map[string]string {
	if len(items) == 0 {
		return data
	}
	files := map[string]string{}
	for _, item := range items {
		files[item.Path] = data[item.Key]
	}
	return files
}

func optional(b *bool) bool { return b != nil && *b }

// wait reports false when the pod has to end instead.
func (p *pod) wait(ctx context.Context) bool {
	select {
	case <-p.ending:
		return false
	default:
		return pause(ctx, 50*time.Millisecond)
	}
}
