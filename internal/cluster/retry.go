package cluster

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// verdict is what to do about one failed attempt.
type verdict struct {
	// retry at all, and after at most limit failures of this kind (0: until the deadline).
	retry bool
	limit int
	// ambiguous: a write may have been committed although it failed.
	ambiguous bool
	// offline: the server was not reached, or did not answer.
	offline bool
	// wait is the least time to wait, from Retry-After.
	wait time.Duration
}

// classify is the one place that tells transient from permanent failures.
func classify(err error) verdict {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return classifyStatus(status.Status(), err)
	}
	return classifyTransport(err)
}

func classifyStatus(status metav1.Status, err error) verdict {
	v := verdict{}
	if status.Details != nil {
		v.wait = time.Duration(status.Details.RetryAfterSeconds) * time.Second
	}
	switch status.Code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		v.retry = true
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		v.retry, v.ambiguous = true, true
	case http.StatusUnauthorized:
		// client-go's exec plugin refreshes its credential on a 401 but hands
		// that first 401 to the caller (plugin/pkg/client/auth/exec).
		v.retry, v.limit = true, 1
	case http.StatusInternalServerError:
		switch {
		case permanentInternal(status.Message):
		case apierrors.IsServerTimeout(err), strings.Contains(status.Message, "etcdserver:"):
			v.retry, v.ambiguous = true, true
		case failedWebhook(status.Message):
			v.retry = true
		default:
			v.retry, v.limit, v.ambiguous = true, 5, true
		}
	}
	return v
}

// permanentInternal tells the errors of input that server-side apply reports
// as a 500 (apimachinery pkg/util/managedfields).
func permanentInternal(message string) bool {
	return strings.Contains(message, "failed to create typed patch object") ||
		strings.Contains(message, "duplicate entries for key")
}

// failedWebhook tells an admission webhook that did not answer from one that
// denied (apiserver pkg/admission/plugin/webhook/errors).
func failedWebhook(message string) bool {
	return strings.Contains(message, "failed calling webhook") || strings.Contains(message, "failed to call webhook")
}

func classifyTransport(err error) verdict {
	var (
		unknownAuthority x509.UnknownAuthorityError
		invalid          x509.CertificateInvalidError
		hostname         x509.HostnameError
		roots            x509.SystemRootsError
		dns              *net.DNSError
		errno            syscall.Errno
		netErr           net.Error
	)
	switch {
	case errors.As(err, new(notSent)):
		return verdict{}
	case errors.Is(err, context.Canceled):
		return verdict{ambiguous: true}
	case errors.As(err, &unknownAuthority), errors.As(err, &invalid), errors.As(err, &hostname), errors.As(err, &roots):
		return verdict{}
	case errors.As(err, &dns):
		return verdict{retry: dns.IsTemporary || dns.IsTimeout, offline: true}
	case errors.Is(err, errStalled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		utilnet.IsHTTP2ConnectionLost(err), utilnet.IsProbableEOF(err):
		return verdict{retry: true, ambiguous: true, offline: true}
	case errors.As(err, &errno), errors.As(err, &netErr) && netErr.Timeout():
		refused := errors.Is(err, syscall.ECONNREFUSED)
		return verdict{retry: true, ambiguous: !refused, offline: true}
	case strings.Contains(err.Error(), "getting credentials"):
		return verdict{retry: true, limit: 2}
	case strings.Contains(err.Error(), "error when reading response body"), strings.Contains(err.Error(), "http2:"),
		// A handler that panicked or timed out ends its stream, and the
		// connection stays (apiserver pkg/server/filters/timeout.go).
		strings.Contains(err.Error(), "stream error: stream ID"):
		return verdict{retry: true, ambiguous: true, offline: true}
	}
	// The answer was read but made no sense (errBadBody), which does not get
	// better, or nobody knows what this is. Either way the request may have
	// been sent.
	return verdict{ambiguous: true}
}

// Limits of retrying. An operation's own deadline, from `timeouts`, ends it
// sooner.
const (
	writeAttempt = 30 * time.Second
	// offlineReads is long enough for an API server to restart and short
	// enough for a plan.
	offlineReads = 30 * time.Second
	// offlineLookups is what a look-up waits that a plan can do without.
	offlineLookups = 3 * time.Second
	defaultReads   = 2 * time.Minute
	defaultWrites  = 10 * time.Minute
	backoffBase    = 200 * time.Millisecond
	backoffCap     = 10 * time.Second
)

// backoff returns the wait before the next attempt: exponential with full
// jitter, so that the instances of a walk do not come back all at once.
func backoff(attempt int) time.Duration {
	ceiling := backoffCap
	if attempt < 6 {
		ceiling = min(backoffCap, backoffBase<<attempt)
	}
	return time.Duration(rand.Int64N(int64(ceiling)) + 1)
}

type briefKey struct{}

// Briefly marks the calls of a look-up that is worth little waiting: of a server
// that is not there they give up after a few seconds, and what they find says
// nothing to calls that have more patience.
func Briefly(ctx context.Context) context.Context { return context.WithValue(ctx, briefKey{}, true) }

func isBrief(ctx context.Context) bool { return ctx.Value(briefKey{}) != nil }

func offlineLimit(ctx context.Context) time.Duration {
	if isBrief(ctx) {
		return offlineLookups
	}
	return offlineReads
}

// do runs one request until it succeeds, fails for good, or time is up. A
// write runs detached from the caller's cancellation: it is looked at between
// attempts, so that a write under way is always waited for.
func (c *Client) do(ctx context.Context, o op, attempt func(context.Context) error) error {
	start := time.Now()
	deadline := start.Add(defaultReads)
	if o.write {
		deadline = start.Add(defaultWrites)
	}
	if d, ok := ctx.Deadline(); ok {
		deadline = d
	}
	failure := &OpError{Verb: o.verb, ID: o.id, Host: c.host, Endpoint: c.endpoint}
	// limited counts the failures by limit, of which each kind has its own: a lost
	// connection must not use up the one retry of a 401.
	limited := map[int]int{}
	for n := 0; ; n++ {
		err := c.once(ctx, o, attempt)
		if err == nil {
			c.unreachable.Store(false)
			return nil
		}
		v := classify(err)
		if ctx.Err() != nil && !errors.Is(err, errStalled) && failure.Err != nil {
			// Keep the failure that was being retried: it says more than that time was up.
			failure.Cancelled = context.Cause(ctx)
			return failure
		}
		failure.Err = err
		failure.MaybeDone = o.write && (failure.MaybeDone || v.ambiguous)
		limit := deadline
		if v.offline && !o.write {
			if c.unreachable.Load() {
				return failure
			}
			limit = earlier(deadline, start.Add(offlineLimit(ctx)))
		}
		wait := max(backoff(n), v.wait)
		left := time.Until(limit)
		if v.offline && left > 0 {
			wait = min(wait, left) // the last attempt is made when time is up, not before
		}
		limited[v.limit]++
		if !v.retry || v.limit > 0 && limited[v.limit] > v.limit || wait > left {
			if !isBrief(ctx) {
				c.unreachable.Store(v.offline && !o.write)
			}
			return failure
		}
		if err := sleep(ctx, wait); err != nil {
			failure.Cancelled = err
			return failure
		}
	}
}

// once runs one attempt in one of the client's slots.
func (c *Client) once(ctx context.Context, o op, attempt func(context.Context) error) error {
	if ctx.Err() != nil {
		return notSent{context.Cause(ctx)}
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return notSent{context.Cause(ctx)}
	}
	defer func() { <-c.slots }()
	if o.write {
		c.wrote.Store(true)
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeAttempt)
		defer cancel()
		return attempt(detached)
	}
	return attempt(ctx)
}

// notSent is the end of an operation before its request was sent.
type notSent struct{ error }

func (e notSent) Unwrap() error { return e.error }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
