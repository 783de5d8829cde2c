package cluster

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	_ "k8s.io/client-go/plugin/pkg/client/auth/exec" // exec credential plugins of a kubeconfig
	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// concurrentRequests is how many requests one provider process has under way.
// Terraform walks 10 instances at a time and each writes the objects of one
// stage in parallel; API Priority and Fairness guards the server beyond that.
const concurrentRequests = 32

// Options tune a Client.
type Options struct {
	// Version of the provider, for the user agent.
	Version string
	// ForceConflicts takes fields from other managers on every update, also
	// those that the plan did not show.
	ForceConflicts bool
	// Endpoint says where the address of the cluster comes from, for errors:
	// "`config_path`", "the environment variable KUBE_HOST".
	Endpoint string
}

// Client is the connection of one provider instance to one cluster. It is
// safe for concurrent use.
type Client struct {
	rest           rest.Interface
	host           string
	endpoint       string
	forceConflicts bool
	slots          chan struct{}

	wrote atomic.Bool
	// unreachable is set while the last read failed for want of a connection:
	// further reads try once, so that a walk over many instances ends in time.
	unreachable atomic.Bool

	mu sync.Mutex
	// flights are the LISTs under way that callers share; looks the same of Secrets.
	flights map[listKey]*flight
	looks   singleflight.Group
	// snapshots are the LISTs that all instances share. They answer reads
	// until the first write, and are hints (never decisions) afterwards.
	snapshots map[listKey]*snapshot
	// secrets are the Secrets that GlanceSecret has looked at.
	secrets map[manifest.ID]SecretLook
	// reserved are the objects that Reserve created and Create has not yet
	// asked for.
	reserved map[manifest.ID]reservation
	// creating are the shared objects that an instance is creating; closed when
	// it has tried.
	creating map[manifest.ID]chan struct{}
}

// New returns a Client. It never dials.
func New(config *rest.Config, options Options) (*Client, error) {
	config = rest.CopyConfig(config)
	if config.QPS == 0 {
		config.QPS = -1 // client-go's default is 5 a second
	}
	config.UserAgent = compile.ProviderName + "/" + options.Version
	config.ContentType = runtime.ContentTypeJSON
	config.AcceptContentTypes = runtime.ContentTypeJSON
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	config.WarningHandler = rest.NoWarnings{}
	config.GroupVersion = nil
	config.APIPath = "/"
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &stallGuard{next: next, limit: stallLimit} })

	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	restClient, err := rest.UnversionedRESTClientForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, err
	}
	return &Client{
		rest:           restClient,
		host:           hostOf(config),
		endpoint:       options.Endpoint,
		forceConflicts: options.ForceConflicts,
		slots:          make(chan struct{}, concurrentRequests),
		flights:        map[listKey]*flight{},
		snapshots:      map[listKey]*snapshot{},
		secrets:        map[manifest.ID]SecretLook{},
		reserved:       map[manifest.ID]reservation{},
		creating:       map[manifest.ID]chan struct{}{},
	}, nil
}

// Release is the set of objects of one resource instance, in its order.
type Release struct {
	Owner   Owner
	Objects []manifest.Object
	// First is what an update to this release writes before all else: see
	// manifest.Updating.
	First []manifest.Object
}

// Get returns one object as it is now, nil if there is none.
func (c *Client) Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	live, err := c.get(ctx, id)
	if isGone(err) {
		return nil, nil
	}
	return live, err
}

// Wrote reports whether this process has written to the cluster. After its
// first write plan-time look-ups are skipped.
func (c *Client) Wrote() bool { return c.wrote.Load() }

// errNoKind is returned for a kind that this provider never writes.
var errNoKind = errors.New("kind is not in the provider's table of resources")
