package cluster

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Explain turns any error of this package into the summary and detail of a
// diagnostic: what failed, on which object, who else is involved, what to do.
// It never repeats credentials.
func Explain(err error) (summary, detail string) {
	// Objects are written in parallel, so several can fail at once.
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
		all := joined.Unwrap()
		summary, detail = Explain(all[0])
		for _, other := range all[1:] {
			s, d := Explain(other)
			detail += "\n\n" + s + "\n" + d
		}
		return summary, detail
	}
	var (
		foreign      *ForeignError
		conflict     *ConflictError
		stays        *RemainsError
		incompatible *IncompatibleError
		waited       *WaitError
		failed       *OpError
	)
	switch {
	case errors.As(err, &foreign):
		return explainForeign(foreign)
	case errors.As(err, &conflict):
		return fmt.Sprintf("%s was changed after the plan", conflict.ID),
			fmt.Sprintf("Another field manager owns what this apply would write, and the plan did not show it:\n  %s\n\n"+
				"Nothing was taken from it. Plan again to see the change and decide; `force_conflicts = true` in the provider block takes such fields without asking.",
				strings.Join(conflict.Causes, "\n  "))
	case errors.As(err, &stays):
		return "Objects are still being deleted",
			fmt.Sprintf("The API server accepted the deletion, but these objects are not gone (%v):\n  %s\n\n"+
				"Finalizers are never removed by this provider: whoever set them has to finish. Then apply again.",
				stays.Err, strings.Join(stays.Remains, "\n  "))
	case errors.As(err, &incompatible):
		return fmt.Sprintf("%s cannot be shared", incompatible.ID), fmt.Sprintf("%v\n\nThe object was left as it is.", incompatible.Err)
	case errors.As(err, &waited):
		return explainWait(waited)
	case errors.As(err, &failed):
		return explainOp(failed)
	case errors.Is(err, errRounds):
		return "Another writer keeps changing the object",
			"Each of many writes found that somebody had changed the object in between. Find who does (kubectl get --show-managed-fields), then apply again."
	case errors.Is(err, context.Canceled):
		return "The operation was cancelled", "What was written until then is in the state; apply again to go on."
	case errors.Is(err, context.DeadlineExceeded):
		return "The operation ran out of time", "Raise the resource's `timeouts`, or apply again to go on from what is in the state."
	}
	return "The operation failed", err.Error()
}

func explainForeign(e *ForeignError) (string, string) {
	summary := fmt.Sprintf("%s exists already", e.ID)
	consequence := "It was not changed."
	if e.Unchanged {
		consequence = "Nothing was written."
	}
	if e.Owner == nil {
		managers := "nobody knows whom (it has no field managers)"
		if len(e.Managers) > 0 {
			managers = strings.Join(e.Managers, ", ")
		}
		return summary, fmt.Sprintf("It was not made by this provider; it is managed by %s. %s\n\n"+
			"Delete or rename it, or choose another `name` for this resource.", managers, consequence)
	}
	name := e.Owner.ImportID[strings.LastIndex(e.Owner.ImportID, "/")+1:]
	advice := fmt.Sprintf("To manage it here, import its resource:\n\n  terraform import %s.%s %s\n\n", e.Owner.Resource, name, e.Owner.ImportID)
	if e.Owner.Resource == e.Wanted.Resource && e.Owner.ImportID == e.Wanted.ImportID {
		return summary, fmt.Sprintf("It belongs to %s of another state, or to a create that was killed half-way. %s\n\n%s"+
			"With `owner_id` in the provider block a killed create is resumed by itself.", e.Owner, consequence, advice)
	}
	return summary, fmt.Sprintf("It belongs to %s. %s\n\n%sOtherwise choose another `name` for this resource.", e.Owner, consequence, advice)
}

func explainWait(e *WaitError) (string, string) {
	var detail strings.Builder
	fmt.Fprintf(&detail, "%s\n", e.Status)
	advice := map[ReasonKind]string{
		NotInjected: "Istio's gateway injection did not run for this pod. Look at the namespace's labels: `istio-injection=disabled` switches it off, " +
			"and `istio.io/rev` must name a revision that runs; so must the resource's `revision`.",
		ImagePull:     "The node could not pull the image: look at the registry, its credentials (`pod.image_pull_secrets`) and the network.",
		Unschedulable: "Look at `resources`, `node_selector`, `tolerations` and `affinity`, and at the room on the nodes.",
		NotCreated:    "Something refuses the pods: a ResourceQuota, an admission webhook, or Pod Security.",
		NotStarted:    "Look at the pod's events and logs: kubectl describe pod, kubectl logs.",
	}
	said := map[ReasonKind]bool{}
	var hints []string
	for _, reason := range e.Reasons {
		fmt.Fprintf(&detail, "  %s\n", reason.Text)
		if hint := advice[reason.Kind]; hint != "" && !said[reason.Kind] {
			said[reason.Kind] = true
			hints = append(hints, hint)
		}
	}
	if e.Err != nil {
		fmt.Fprintf(&detail, "The wait ended: %v.\n", e.Err)
	}
	if len(hints) == 0 {
		hints = []string{"Look at the object's conditions and events with kubectl describe."}
	}
	fmt.Fprintf(&detail, "\n%s", strings.Join(hints, "\n"))
	return fmt.Sprintf("%s did not become ready", e.ID), detail.String()
}

// explainOp explains a request that failed for good.
func explainOp(e *OpError) (string, string) {
	what := fmt.Sprintf("%s %s", e.Verb, where(e.ID))
	summary := "Cannot " + what
	ended, unsent := e.Cancelled, errors.As(e.Err, new(notSent))
	// A read that is under way ends with its operation; it says nothing of the server.
	dropped := ended == nil && errors.Is(e.Err, context.Canceled)
	switch {
	case unsent:
		ended = errors.Unwrap(e.Err)
	case dropped:
		ended = context.Canceled
	}
	switch {
	case errors.Is(ended, context.Canceled):
		summary += ": interrupted"
	case e.Cancelled != nil, errors.Is(ended, context.DeadlineExceeded):
		summary += ": time is up"
	}
	if unsent || dropped {
		_, detail := Explain(ended)
		return summary, detail
	}
	_, answered := statusOf(e.Err)
	explain := explainTransport
	if answered {
		explain = explainStatus
	}
	detail := explain(e)
	if e.Endpoint != "" && (!answered || apierrors.IsUnauthorized(e.Err)) {
		detail += fmt.Sprintf("\n\nThe address comes from %s.", e.Endpoint)
	}
	return summary, detail
}

// where names the object, or the collection where a list failed.
func where(id manifest.ID) string {
	if id.Name != "" {
		return id.String()
	}
	if id.Namespace != "" {
		return fmt.Sprintf("%s in namespace %s", kinds[id.GVK].plural, id.Namespace)
	}
	return kinds[id.GVK].plural + " in all namespaces"
}

func explainStatus(e *OpError) string {
	status, _ := statusOf(e.Err)
	message := fmt.Sprintf("The API server at %s answered %d: %s", e.Host, status.Code, status.Message)
	switch {
	case isNoKind(e.Err):
		return explainNoKind(e)
	case isNoNamespace(e.Err):
		return fmt.Sprintf("Namespace %q does not exist. Create it first, e.g. with a kubernetes_namespace resource that this one depends on, "+
			"or set `namespace` to one that exists.", e.ID.Namespace)
	case isTerminating(e.Err):
		return fmt.Sprintf("Namespace %q is being deleted, and nothing can be created in it. Wait until it is gone and create it anew, "+
			"or set `namespace` to another.", e.ID.Namespace)
	case apierrors.IsForbidden(e.Err) && exceedsQuota(status.Message):
		return message + "\n\nA ResourceQuota of the namespace does not leave room for this object."
	case apierrors.IsForbidden(e.Err) && wasDenied(status.Message):
		return message + "\n\nAn admission webhook refused the object."
	case LacksPermission(e.Err):
		return message + "\n\n" + rbacAdvice(e)
	case apierrors.IsUnauthorized(e.Err):
		return message + "\n\nThe credentials of the provider block are missing, wrong or expired."
	case failedWebhook(status.Message):
		return message + "\n\nAn admission webhook did not answer. For a webhook of Istio see whether istiod runs in the namespace that it names."
	case wasDenied(status.Message):
		return message + "\n\nAn admission webhook refused the object."
	case len(managerConflicts(e.Err)) > 0:
		return "Other field managers own what this would write:\n  " + strings.Join(managerConflicts(e.Err), "\n  ")
	case apierrors.IsInvalid(e.Err), apierrors.IsBadRequest(e.Err), status.Reason == metav1.StatusReasonUnknown:
		return message + "\n\nThe cluster's version of this kind does not accept the object. Istio 1.26 and Kubernetes 1.30 are the oldest that are supported."
	}
	if body, ok := unexpectedBody(e.Err); ok && strings.HasPrefix(body, "<") {
		return fmt.Sprintf("%s answered %d with HTML: there is a proxy or a login page between Terraform and the API server. Look at `host` and `proxy_url`.", e.Host, status.Code)
	}
	return message
}

func explainNoKind(e *OpError) string {
	crd := crdName(e.ID.GVK)
	if crd == "" {
		return fmt.Sprintf("The API server at %s does not serve %s %s. Kubernetes 1.30 is the oldest that is supported.",
			e.Host, e.ID.GVK.GroupVersion(), e.ID.GVK.Kind)
	}
	return fmt.Sprintf("The API server at %s does not serve %s %s: the CustomResourceDefinition %s is missing, or does not serve version %s. "+
		"Istio is not installed in this cluster, or older than 1.26.\n\n"+
		"Install it, e.g. with `istioctl install`, or its CRDs with the Helm chart `istio/base` (https://istio.io/latest/docs/setup/install/helm/).",
		e.Host, e.ID.GVK.GroupVersion(), e.ID.GVK.Kind, crd, e.ID.GVK.Version)
}

// rbacAdvice prints the rule that is missing.
func rbacAdvice(e *OpError) string {
	verb := e.Verb
	if verb == "apply" {
		verb = "patch (and create)"
	}
	scope := "in a ClusterRole"
	if e.ID.Namespace != "" {
		scope = fmt.Sprintf("for namespace %q", e.ID.Namespace)
	}
	resource := schema.GroupResource{Group: e.ID.GVK.Group, Resource: kinds[e.ID.GVK].plural}
	return fmt.Sprintf("The credentials lack the verb %s on %s (apiGroups: [%q], resources: [%q]) %s. "+
		"The roles that this provider needs are in examples/rbac of its repository.", verb, resource, resource.Group, resource.Resource, scope)
}

func explainTransport(e *OpError) string {
	var (
		unknownAuthority x509.UnknownAuthorityError
		hostname         x509.HostnameError
		invalid          x509.CertificateInvalidError
		dns              *net.DNSError
	)
	err := e.Err
	switch {
	case errors.Is(err, errBadBody):
		return fmt.Sprintf("%s answered with success, but %v. There may be a proxy between Terraform and the API server: look at `host` and `proxy_url`. "+
			"Nothing is concluded from this answer.", e.Host, err)
	case errors.As(err, &unknownAuthority):
		return fmt.Sprintf("The certificate of %s is not signed by a known authority. Set `cluster_ca_certificate` to the cluster's CA.", e.Host)
	case errors.As(err, &hostname):
		return fmt.Sprintf("The certificate of %s is for another name: %v. Set `tls_server_name`, or correct `host`.", e.Host, hostname)
	case errors.As(err, &invalid):
		return fmt.Sprintf("The certificate of %s is not valid: %v.", e.Host, invalid)
	case errors.As(err, &dns):
		return fmt.Sprintf("The name of %s does not resolve: %v. Look at `host`, or at the cluster of the kubeconfig's context.", e.Host, dns)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("Nothing listens at %s (connection refused). Look at `host`, or at the cluster of the kubeconfig's context, and whether the API server runs.", e.Host)
	case errors.Is(err, errStalled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s did not answer in time: %v. Look at the network, at `host` and at `proxy_url`.", e.Host, bare(err))
	case strings.Contains(err.Error(), "getting credentials"):
		return fmt.Sprintf("The `exec` plugin gave no credentials for %s: %v.", e.Host, bare(err))
	}
	return fmt.Sprintf("The request to %s failed: %v.", e.Host, bare(err))
}

// bare takes the URL, with its query and whatever else, out of an error.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// hostOf returns the address of the cluster as it may be shown.
func hostOf(config *rest.Config) string {
	parsed, _, err := rest.DefaultServerUrlFor(config)
	if err != nil || parsed.Host == "" {
		return "the configured host"
	}
	return parsed.Scheme + "://" + parsed.Host
}
