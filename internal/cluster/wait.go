package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

const (
	// podsPoll is how often the pods behind a rollout are asked for a reason
	// to give up.
	podsPoll = 2 * time.Second
	// stuckAfter is how long a failure that may pass by itself has to last
	// before it ends the wait: a node may be on its way, a webhook restarting.
	stuckAfter = 45 * time.Second
)

// WaitError is an object that did not become ready.
type WaitError struct {
	ID manifest.ID
	// Status is kstatus's account of the object.
	Status string
	// Reasons are what the pods behind it say, most telling first.
	Reasons []Reason
	// Err is why the wait ended; nil where the object failed for good.
	Err error
}

func (e *WaitError) Error() string {
	text := fmt.Sprintf("%s is not ready: %s", e.ID, e.Status)
	for _, reason := range e.Reasons {
		text += "; " + reason.Text
	}
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text
}

func (e *WaitError) Unwrap() error { return e.Err }

// WaitReady waits until the object is current by kstatus. A Deployment fails
// fast, with the reason of its pods: see reasons. It obeys ctx at once.
func (c *Client) WaitReady(ctx context.Context, id manifest.ID) error {
	w := &wait{client: c, id: id, since: map[string]time.Time{}}
	for {
		done, err := w.round(ctx)
		if done || err != nil {
			return err
		}
	}
}

// wait is one WaitReady.
type wait struct {
	client *Client
	id     manifest.ID
	last   *unstructured.Unstructured
	status string
	// since has when each reason was first seen.
	since map[string]time.Time
}

// round looks at the object, then watches it until the watch ends.
func (w *wait) round(ctx context.Context) (bool, error) {
	live, err := w.client.Get(ctx, w.id)
	if ctx.Err() != nil {
		return false, w.failed(context.Cause(ctx))
	}
	if err != nil {
		return false, err
	}
	if live == nil {
		return false, w.failed(errors.New("the object is gone"))
	}
	if done, err := w.judge(ctx, live); done || err != nil {
		return done, err
	}
	stream, err := w.client.watch(ctx, w.id, live.GetResourceVersion())
	if err != nil {
		// A watch that RBAC refuses, or that ended early: look again.
		if err := sleep(ctx, podsPoll); err != nil {
			return false, w.failed(err)
		}
		return false, w.checkPods(ctx)
	}
	defer stream.Stop()
	ticker := time.NewTicker(podsPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, w.failed(context.Cause(ctx))
		case <-ticker.C:
			if err := w.checkPods(ctx); err != nil {
				return false, err
			}
		case event, open := <-stream.ResultChan():
			object, ok := event.Object.(*unstructured.Unstructured)
			if !open || !ok || event.Type == watch.Deleted || event.Type == watch.Error {
				return false, nil // look again
			}
			if done, err := w.judge(ctx, object); done || err != nil {
				return done, err
			}
		}
	}
}

// judge asks kstatus. A Failed status is final: for a Deployment it is
// ProgressDeadlineExceeded. What is Current must not have a final reason
// against it either.
func (w *wait) judge(ctx context.Context, live *unstructured.Unstructured) (bool, error) {
	result, err := status.Compute(live)
	if err != nil {
		return false, &WaitError{ID: w.id, Status: err.Error()}
	}
	w.last, w.status = live, fmt.Sprintf("%s: %s", result.Status, result.Message)
	switch result.Status {
	case status.CurrentStatus:
		// Pods that run without having been injected are no gateway.
		return true, w.checkPods(ctx)
	case status.FailedStatus:
		return false, w.failed(nil)
	}
	return false, nil
}

// checkPods ends the wait if the pods give a reason that will not pass.
func (w *wait) checkPods(ctx context.Context) error {
	// Pods that cannot be listed give no reason: the wait goes on without.
	found, _ := w.client.reasons(ctx, w.last)
	now := time.Now()
	for _, reason := range found {
		if _, seen := w.since[reason.Text]; !seen {
			w.since[reason.Text] = now
		}
		if reason.Final || now.Sub(w.since[reason.Text]) > stuckAfter {
			return &WaitError{ID: w.id, Status: w.status, Reasons: found}
		}
	}
	return nil
}

// failed makes the error of a wait that ends now, with the reasons of the
// pods. It asks for them under a context of its own: that of the wait is over.
func (w *wait) failed(cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	found, _ := w.client.reasons(ctx, w.last)
	return &WaitError{ID: w.id, Status: w.status, Reasons: found, Err: cause}
}

// watch follows one object from a version on.
func (c *Client) watch(ctx context.Context, id manifest.ID, version string) (watch.Interface, error) {
	path, err := pathOf(id.GVK, id.Namespace, "")
	if err != nil {
		return nil, err
	}
	return watchRequest(c.rest.Get().AbsPath(path...), id.Name, version).Watch(ctx)
}

func watchRequest(request *rest.Request, name, version string) *rest.Request {
	return request.
		Param("watch", "true").
		Param("fieldSelector", "metadata.name="+name).
		Param("resourceVersion", version).
		Param("allowWatchBookmarks", "false").
		Param("timeoutSeconds", "300").
		MaxRetries(0)
}

var (
	deploymentKind = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	podKind        = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
)
