package cluster

import (
	"errors"
	"net/http"
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
	return errors.As(err, &op) && classify(op.Err).offline
}
