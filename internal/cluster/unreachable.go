package cluster

import (
	"context"
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// IsUnreachable reports whether err is that of a server which could not be
// reached, or did not answer for itself: a proxy did, or it is starting. A
// certificate or a credential that is refused is an answer.
func IsUnreachable(err error) bool {
	if err == nil {
		return false
	}
	if status, ok := statusOf(err); ok {
		switch status.Code {
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	var op *OpError
	return errors.As(err, &op) && (classify(op.Err).offline || errors.As(op.Err, new(notSent)) && errors.Is(op.Err, context.DeadlineExceeded))
}

// IsMissingKind reports whether err says that the cluster does not serve a
// kind: Istio's CRDs are not installed, or of an older version.
func IsMissingKind(err error) bool { return isNoKind(err) }

// LacksPermission reports whether err says that the credentials may not do
// what was asked for. A quota, a webhook and a namespace that is being deleted
// answer 403 too.
func LacksPermission(err error) bool {
	status, _ := statusOf(err)
	return apierrors.IsForbidden(err) && !isTerminating(err) && !exceedsQuota(status.Message) && !wasDenied(status.Message)
}
