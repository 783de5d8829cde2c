package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// op names a request in errors.
type op struct {
	verb  string
	id    manifest.ID
	write bool
}

// errBadBody is an answer with a success code that is not the object asked
// for: a proxy's login page, a truncated body. It never means "gone".
var errBadBody = errors.New("the answer is not a Kubernetes object")

// get returns an object or an error; isGone tells absence from failure.
func (c *Client) get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	path, err := pathOf(id.GVK, id.Namespace, id.Name)
	if err != nil {
		return nil, err
	}
	var live *unstructured.Unstructured
	err = c.do(ctx, op{verb: "get", id: id}, func(ctx context.Context) error {
		body, _, err := send(ctx, c.rest.Get().AbsPath(path...))
		if err != nil {
			return err
		}
		live, err = decode(body, id)
		return err
	})
	return live, err
}

// applyOptions are the choices of one server-side apply.
type applyOptions struct {
	manager string
	force   bool
}

// apply sends one server-side apply and reports whether it created the
// object: 201 against 200 is the only answer to that without a race.
func (c *Client) apply(ctx context.Context, body *unstructured.Unstructured, options applyOptions) (*unstructured.Unstructured, bool, error) {
	id := manifest.ID{GVK: body.GroupVersionKind(), Namespace: body.GetNamespace(), Name: body.GetName()}
	path, err := pathOf(id.GVK, id.Namespace, id.Name)
	if err != nil {
		return nil, false, err
	}
	payload, err := json.Marshal(body.Object)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", id, err)
	}
	var live *unstructured.Unstructured
	var created bool
	err = c.do(ctx, op{verb: "apply", id: id, write: true}, func(ctx context.Context) error {
		// Strict: a field that this cluster's version does not know is an error
		// here. By default the server would drop it and only warn.
		answer, code, err := send(ctx, c.rest.Patch(types.ApplyPatchType).AbsPath(path...).
			Param("fieldManager", options.manager).
			Param("force", strconv.FormatBool(options.force)).
			Param("fieldValidation", "Strict").
			Body(payload))
		if err != nil {
			return err
		}
		created = code == http.StatusCreated
		live, err = decode(answer, id)
		return err
	})
	return live, created, err
}

// replace sends the whole object. Its resourceVersion makes it fail where
// somebody else has written since.
func (c *Client) replace(ctx context.Context, body *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	id := idOf(body.GroupVersionKind(), body.GetNamespace(), body.GetName())
	path, err := pathOf(id.GVK, id.Namespace, id.Name)
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(body.Object)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	var live *unstructured.Unstructured
	err = c.do(ctx, op{verb: "update", id: id, write: true}, func(ctx context.Context) error {
		answer, _, err := send(ctx, c.rest.Put().AbsPath(path...).Param("fieldManager", manager).
			SetHeader("Content-Type", "application/json").Body(payload))
		if err != nil {
			return err
		}
		live, err = decode(answer, id)
		return err
	})
	return live, err
}

// remove deletes exactly the object that was looked at. It returns the object
// if the server says that it stays for now (finalizers), nil if it is gone.
func (c *Client) remove(ctx context.Context, id manifest.ID, seen *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	path, err := pathOf(id.GVK, id.Namespace, id.Name)
	if err != nil {
		return nil, err
	}
	uid, version := seen.GetUID(), seen.GetResourceVersion()
	background := metav1.DeletePropagationBackground
	payload, err := json.Marshal(metav1.DeleteOptions{
		TypeMeta:          metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions:     &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
		PropagationPolicy: &background,
	})
	if err != nil {
		return nil, err
	}
	var left *unstructured.Unstructured
	err = c.do(ctx, op{verb: "delete", id: id, write: true}, func(ctx context.Context) error {
		answer, _, err := send(ctx, c.rest.Delete().AbsPath(path...).
			SetHeader("Content-Type", "application/json").Body(payload))
		if err != nil {
			return err
		}
		left, err = deleted(answer, id)
		return err
	})
	return left, err
}

// page is one page of a LIST, items undecoded.
type page struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Continue        string `json:"continue"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Items []json.RawMessage `json:"items"`
}

// listPage returns one page. Without a resourceVersion the server answers
// with a consistent read.
func (c *Client) listPage(ctx context.Context, key listKey, limit int, token string) (page, error) {
	var result page
	path, err := pathOf(key.gvk, key.namespace, "")
	if err != nil {
		return result, err
	}
	id := idOf(key.gvk, key.namespace, "")
	err = c.do(ctx, op{verb: "list", id: id}, func(ctx context.Context) error {
		request := c.rest.Get().AbsPath(path...).Param("limit", strconv.Itoa(limit))
		if key.selector != "" {
			request = request.Param("labelSelector", key.selector)
		}
		if key.fields != "" {
			request = request.Param("fieldSelector", key.fields)
		}
		if token != "" {
			request = request.Param("continue", token)
		}
		body, _, err := send(ctx, request)
		if err != nil {
			return err
		}
		result = page{}
		if err := json.Unmarshal(body, &result); err != nil {
			return fmt.Errorf("%w: %w", errBadBody, err)
		}
		if result.Kind != key.gvk.Kind+"List" {
			return fmt.Errorf("%w: kind is %q, not %q", errBadBody, result.Kind, key.gvk.Kind+"List")
		}
		return nil
	})
	return result, err
}

// send runs a prepared request once. client-go's own retries are off: there
// is one classifier, and it is ours.
func send(ctx context.Context, request *rest.Request) ([]byte, int, error) {
	var code int
	result := request.MaxRetries(0).Do(ctx).StatusCode(&code)
	if err := result.Error(); err != nil {
		if cause := context.Cause(ctx); ctx.Err() != nil && cause != nil && code == 0 {
			return nil, code, fmt.Errorf("%w (%w)", cause, bare(err))
		}
		return nil, code, err
	}
	body, err := result.Raw()
	return body, code, err
}

// decode reads the object that id names, and nothing else.
func decode(body []byte, id manifest.ID) (*unstructured.Unstructured, error) {
	object, err := decodeAny(body)
	if err != nil {
		return nil, err
	}
	if object.GroupVersionKind() != id.GVK || object.GetName() != id.Name || object.GetUID() == "" {
		return nil, fmt.Errorf("%w: it is %s %q", errBadBody, object.GetKind(), object.GetName())
	}
	return object, nil
}

// deleted reads the answer to a DELETE: some kinds answer with a Status, some
// with the object as it was. It returns the object if that stays for now.
func deleted(body []byte, id manifest.ID) (*unstructured.Unstructured, error) {
	object, err := decodeAny(body)
	if err != nil {
		return nil, err
	}
	if object.GetKind() == "Status" {
		if status, _, _ := unstructured.NestedString(object.Object, "status"); status != metav1.StatusSuccess {
			return nil, fmt.Errorf("%w: it is a Status of %q", errBadBody, status)
		}
		return nil, nil
	}
	if object.GroupVersionKind() != id.GVK || object.GetName() != id.Name {
		return nil, fmt.Errorf("%w: it is %s %q", errBadBody, object.GetKind(), object.GetName())
	}
	if object.GetDeletionTimestamp() == nil {
		return nil, nil
	}
	return object, nil
}

func decodeAny(body []byte) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	// The Kubernetes decoder keeps integers as int64, as DeepCopy wants them.
	if err := utiljson.Unmarshal(body, &object.Object); err != nil || object.GetKind() == "" {
		return nil, fmt.Errorf("%w: %s", errBadBody, nature(body))
	}
	return object, nil
}

// nature says what an answer looks like, without any of its content.
func nature(body []byte) string {
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0:
		return "it is empty"
	case trimmed[0] == '<':
		return "it is HTML, as a proxy or a login page answers"
	case trimmed[0] == '{':
		return "it is incomplete JSON, or JSON of something else"
	}
	return "it is not JSON"
}

// listKey is one LIST.
type listKey struct {
	gvk       schema.GroupVersionKind
	namespace string
	selector  string
	fields    string
}
