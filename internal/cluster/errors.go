package cluster

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// OpError is a request that failed for good.
type OpError struct {
	// Verb is the request as RBAC and audit name it, or "apply".
	Verb string
	ID   manifest.ID
	// Host is the address of the cluster, Endpoint what it was taken from.
	Host     string
	Endpoint string
	Err      error
	// MaybeDone is set for a write that may have been committed all the same.
	MaybeDone bool
	// Cancelled is why retrying ended early, if it did.
	Cancelled error
}

func (e *OpError) Error() string {
	text := fmt.Sprintf("%s %s: %v", e.Verb, e.ID, e.Err)
	if e.Cancelled != nil {
		text += fmt.Sprintf(" (given up: %v)", e.Cancelled)
	}
	return text
}

func (e *OpError) Unwrap() error { return e.Err }

// ForeignError is an object that exists and belongs to another.
type ForeignError struct {
	ID manifest.ID
	// Owner as the object names it; nil if it names none.
	Owner *Owner
	// Managers are the field managers of its content.
	Managers []string
	// Wanted is who wanted to write it.
	Wanted Owner
	// Unchanged is set where nothing at all was written before.
	Unchanged bool
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s exists and belongs to %s", e.ID, e.who())
}

func (e *ForeignError) who() string {
	if e.Owner != nil {
		return e.Owner.String()
	}
	if len(e.Managers) > 0 {
		return "someone else (field manager " + strings.Join(e.Managers, ", ") + ")"
	}
	return "someone else"
}

func newForeignError(id manifest.ID, live *unstructured.Unstructured, wanted Owner) *ForeignError {
	e := &ForeignError{ID: id, Wanted: wanted}
	if owner, ok := OwnerOf(live); ok {
		e.Owner = &owner
	}
	e.Managers = managersIn(live.GetManagedFields())
	return e
}

// ConflictError is a write that would take fields from another manager,
// without the plan having shown it.
type ConflictError struct {
	ID manifest.ID
	// Causes are the server's: each names a manager and a path.
	Causes []string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s was changed after the plan: %s", e.ID, strings.Join(e.Causes, "; "))
}

// RemainsError is a deletion that the server accepted and has not finished.
type RemainsError struct {
	// Remains has a line per object: its deletionTimestamp and finalizers.
	Remains []string
	Err     error
}

func (e *RemainsError) Error() string {
	return fmt.Sprintf("not gone in time: %s (%v)", strings.Join(e.Remains, "; "), e.Err)
}

func (e *RemainsError) Unwrap() error { return e.Err }

// IncompatibleError is a shared object whose live content cannot be ours.
type IncompatibleError struct {
	ID  manifest.ID
	Err error
}

func (e *IncompatibleError) Error() string { return fmt.Sprintf("%s: %v", e.ID, e.Err) }

func (e *IncompatibleError) Unwrap() error { return e.Err }

// statusOf returns the server's Status inside an error.
func statusOf(err error) (metav1.Status, bool) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return metav1.Status{}, false
	}
	return status.Status(), true
}

// causesOf returns the causes of one type.
func causesOf(err error, kind metav1.CauseType) []metav1.StatusCause {
	status, ok := statusOf(err)
	if !ok || status.Details == nil {
		return nil
	}
	var found []metav1.StatusCause
	for _, cause := range status.Details.Causes {
		if cause.Type == kind {
			found = append(found, cause)
		}
	}
	return found
}

// unexpectedBody returns the text of an error answer that is no Status.
func unexpectedBody(err error) (string, bool) {
	causes := causesOf(err, metav1.CauseTypeUnexpectedServerResponse)
	if len(causes) == 0 {
		return "", false
	}
	return strings.TrimSpace(causes[0].Message), true
}

// isNoKind reports that the server does not serve the kind: its CRD is
// missing. That 404 is plain text; a proxy's 404 is something else again.
func isNoKind(err error) bool {
	body, unexpected := unexpectedBody(err)
	return apierrors.IsNotFound(err) && unexpected && body == "404 page not found"
}

// isNoNamespace reports that a write failed for want of its namespace.
func isNoNamespace(err error) bool {
	status, ok := statusOf(err)
	return ok && apierrors.IsNotFound(err) && status.Details != nil && status.Details.Kind == "namespaces"
}

// isGone reports that exactly the object asked for does not exist. A missing
// namespace, a missing CRD and a proxy answer 404 as well.
func isGone(err error) bool {
	if !apierrors.IsNotFound(err) || isNoNamespace(err) {
		return false
	}
	// Only the object's own Status names it.
	status, ok := statusOf(err)
	return ok && status.Details != nil && status.Details.Name != ""
}

// isTerminating reports that the namespace is being deleted.
func isTerminating(err error) bool {
	return len(causesOf(err, "NamespaceTerminating")) > 0
}

// exceedsQuota reports that a ResourceQuota refused the object.
func exceedsQuota(message string) bool { return strings.Contains(message, "exceeded quota") }

// wasDenied reports that an admission webhook refused the object.
func wasDenied(message string) bool { return strings.Contains(message, "denied the request") }

// managerConflicts returns "field manager: path" of a server-side apply that
// would take fields from another manager.
func managerConflicts(err error) []string {
	var lines []string
	for _, cause := range causesOf(err, metav1.CauseTypeFieldManagerConflict) {
		lines = append(lines, strings.TrimPrefix(cause.Message, "conflict with ")+": "+strings.TrimPrefix(cause.Field, "."))
	}
	return lines
}

// MaybeWritten reports whether a write that failed may have been committed:
// the object then belongs in state, so that it can be destroyed.
func MaybeWritten(err error) bool {
	var o *OpError
	return errors.As(err, &o) && o.MaybeDone
}
