package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Options tune a Client.
type Options struct {
	// Version of the provider, for the user agent.
	Version string
	// ForceConflicts takes fields from other managers on every write, also
	// those that the plan did not show.
	ForceConflicts bool
}

// Client is the connection of one provider instance to one cluster.
type Client struct{}

// New returns a Client. It never dials.
func New(config *rest.Config, options Options) (*Client, error) { panic("not written yet") }

// Release is the set of objects of one resource instance, in its order.
type Release struct {
	Owner   Owner
	Objects []manifest.Object
}

// Observation is what the cluster holds of a Release.
type Observation struct {
	// Owner as the live objects name it; zero if none of them exists.
	Owner Owner
	// Live has, by manifest key, the live object of each object that exists and is ours.
	Live map[string]*unstructured.Unstructured
	// Projected has, by manifest key, the live object cut down to what the
	// desired one says, plus what others added where additions count. Equal
	// to the desired body when there is no drift.
	Projected map[string]*unstructured.Unstructured
	// Drift has, by manifest key, one line per differing path; an object that
	// is gone or belongs to another has a line that says so.
	Drift map[string]string
}

// Observe compares the live objects with the desired ones. Reads are shared
// among all instances of the process until its first write.
func (c *Client) Observe(ctx context.Context, release Release) (Observation, error) {
	panic("not written yet")
}

// Preflight fails, before anything is written, when an object of the release exists and belongs to another: it
// names the object, its owner and the import command.
func (c *Client) Preflight(ctx context.Context, release Release) error { panic("not written yet") }

// Reserve creates one object as the owner's own and reports whether it is:
// false means that the name is taken by another owner, and nothing of it was
// changed.
func (c *Client) Reserve(ctx context.Context, owner Owner, object manifest.Object) (bool, error) {
	panic("not written yet")
}

// Create writes a new release stage by stage. Objects that Reserve created
// are part of it again. It returns what was written, whatever the error.
func (c *Client) Create(ctx context.Context, release Release) ([]manifest.Object, error) {
	panic("not written yet")
}

// Update brings the cluster from prior to release: applies every object in
// order (drift included; foreign additions in Istio specs are removed), then
// deletes in reverse order what prior has and release has not. It returns the
// objects of either that exist now.
func (c *Client) Update(ctx context.Context, prior, release Release) ([]manifest.Object, error) {
	panic("not written yet")
}

// Delete removes the release in reverse order and waits until it is gone. It
// returns what is left, with the error that says why.
func (c *Client) Delete(ctx context.Context, release Release) ([]manifest.Object, error) {
	panic("not written yet")
}

// Get returns one object as it is now, nil if there is none.
func (c *Client) Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	panic("not written yet")
}

// List returns the objects of a kind from the cache that one walk shares. An
// empty namespace lists cluster-wide where RBAC allows it.
func (c *Client) List(ctx context.Context, gvk schema.GroupVersionKind, namespace, labelSelector string) ([]*unstructured.Unstructured, error) {
	panic("not written yet")
}

// WaitReady waits until the object is current by kstatus, and fails fast with
// the reason of the pods behind it.
func (c *Client) WaitReady(ctx context.Context, id manifest.ID) error { panic("not written yet") }

// Wrote reports whether this process has written to the cluster. After its
// first write plan-time look-ups are skipped.
func (c *Client) Wrote() bool { panic("not written yet") }

// Explain turns any error of this package into the summary and detail of a
// diagnostic.
func Explain(err error) (summary, detail string) { panic("not written yet") }
