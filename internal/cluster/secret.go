package cluster

import (
	"context"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

var secretKind = schema.GroupVersionKind{Version: "v1", Kind: "Secret"}

// SecretLook is what may be known of a Secret. No value is ever kept.
type SecretLook struct {
	Exists bool
	// Keys of its data that have a value, sorted.
	Keys []string
	// Refused is the permission that is missing, if RBAC refused the look.
	Refused string
}

// GlanceSecret is LookAtSecret as this process first saw the Secret: N
// policies with one credential cost one request.
func (c *Client) GlanceSecret(ctx context.Context, namespace, name string) (SecretLook, error) {
	id := idOf(secretKind, namespace, name)
	if look, ok := c.keptSecret(id); ok {
		return look, nil
	}
	answer, err, _ := c.looks.Do(id.String(), func() (any, error) {
		look, err := c.LookAtSecret(ctx, namespace, name)
		if err == nil {
			c.keepSecret(id, look)
		}
		return look, err
	})
	return answer.(SecretLook), err
}

// LookAtSecret asks for one Secret.
func (c *Client) LookAtSecret(ctx context.Context, namespace, name string) (SecretLook, error) {
	live, err := c.Get(ctx, idOf(secretKind, namespace, name))
	switch {
	case apierrors.IsForbidden(err):
		return SecretLook{Refused: permission("get", secretKind, namespace)}, nil
	case err != nil, live == nil:
		return SecretLook{}, err
	}
	data, _, _ := unstructured.NestedMap(live.Object, "data")
	maps.DeleteFunc(data, func(_ string, value any) bool { return value == "" || value == nil })
	return SecretLook{Exists: true, Keys: slices.Sorted(maps.Keys(data))}, nil
}

func (c *Client) keptSecret(id manifest.ID) (SecretLook, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	look, ok := c.secrets[id]
	return look, ok
}

func (c *Client) keepSecret(id manifest.ID, look SecretLook) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets[id] = look
}
