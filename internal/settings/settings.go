package settings

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Provider is the provider block after configuration. It is shared by all
// resource instances of the process; do not copy it.
type Provider struct {
	Mesh    compile.Mesh
	Detail  manifest.Detail
	OwnerID string
	// MeshKnown is false while an attribute that objects depend on
	// (istio_namespace, revision, trust_domain, ...) is unknown: then nothing
	// can be compiled, and computed values are "known after apply".
	MeshKnown bool
	// Connect returns the client. It never dials. It fails while an attribute of the provider block that the
	// connection needs is unknown (IsUnknown(err)), and when the block or the environment names no cluster
	// (IsNoCluster(err)).
	Connect func() (*cluster.Client, error)

	lookup      lookupState
	trustDomain trustDomainState
	owners      ownersState
	planned     plannedState
	planes      planesState
	taken       takenState
	gateways    gatewayState
}

// Configured returns the Provider in what a resource or data source is
// configured with, nil before the provider is.
func Configured(data any) (*Provider, diag.Diagnostics) {
	if data == nil {
		return nil, nil
	}
	provider, ok := data.(*Provider)
	if !ok {
		return nil, diag.Diagnostics{diag.NewErrorDiagnostic("Wrong provider data",
			fmt.Sprintf("Expected *settings.Provider, got %T. This is a bug of the provider.", data))}
	}
	return provider, nil
}

// UnknownError says that a call was needed while attributes of the provider
// block were unknown.
type UnknownError struct {
	// Attributes of the provider block, sorted.
	Attributes []string
}

// Summary is the short text of the error's diagnostic.
func (e *UnknownError) Summary() string { return "The provider block is not known yet" }

// Topic is the section of a guide about it.
func (e *UnknownError) Topic() diagnose.Topic { return diagnose.Unreachable }

func (e *UnknownError) Error() string {
	verb := " is"
	if len(e.Attributes) > 1 {
		verb = " are"
	}
	return "`" + strings.Join(e.Attributes, "`, `") + "` of the provider block" + verb +
		" computed by something that is not applied. Apply that first, for example with -target, " +
		"or keep the cluster in a configuration of its own and read its address with a data source."
}

// IsUnknown reports whether err comes from an attribute of the provider block
// that is not known yet.
func IsUnknown(err error) bool {
	var unknown *UnknownError
	return errors.As(err, &unknown)
}

// ErrNoCluster is Connect's answer when nothing names a cluster.
var ErrNoCluster error = noClusterError{}

type noClusterError struct{}

// Summary is the short text of the error's diagnostic.
func (noClusterError) Summary() string { return "No cluster is configured" }

// Topic is the section of a guide about it.
func (noClusterError) Topic() diagnose.Topic { return diagnose.Unreachable }

func (noClusterError) Error() string {
	return "In the provider block set `config_path` (with `config_context`), or `host` with `token`, `exec`, or " +
		"`client_certificate` and `client_key`; or set the environment variable KUBE_CONFIG_PATH, or KUBE_HOST and KUBE_TOKEN; " +
		"or run in a pod that has a service account token. ~/.kube/config and KUBECONFIG are not read unless `config_path` names them."
}

// IsNoCluster reports whether err is ErrNoCluster.
func IsNoCluster(err error) bool { return errors.Is(err, ErrNoCluster) }

// lookupState remembers what was warned of.
type lookupState struct {
	sync.Mutex
	// failed is set when the cluster did not answer.
	failed bool
	// incomplete is set when it did not serve a kind.
	incomplete bool
	// refused has the permissions that were said to be missing.
	refused map[string]bool
}
