package cluster

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func answered(code int, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: "Failure", Code: int32(code), Reason: reason, Message: message}}
}

func transported(err error) error {
	return &url.Error{Op: "Patch", URL: "https://h/x?token=secret", Err: err}
}

func TestClassify(t *testing.T) {
	resource := schema.GroupResource{Resource: "services"}
	throttled := apierrors.NewTooManyRequests("slow down", 7)
	for name, c := range map[string]struct {
		err  error
		want verdict
	}{
		"429":                        {throttled, verdict{retry: true, wait: 7 * time.Second}},
		"503":                        {apierrors.NewServiceUnavailable("x"), verdict{retry: true}},
		"502":                        {answered(502, "", "x"), verdict{retry: true, ambiguous: true}},
		"504":                        {answered(504, metav1.StatusReasonTimeout, "x"), verdict{retry: true, ambiguous: true}},
		"500 of etcd":                {apierrors.NewInternalError(errors.New("etcdserver: leader changed")), verdict{retry: true, ambiguous: true}},
		"500 server timeout":         {apierrors.NewServerTimeout(resource, "get", 2), verdict{retry: true, ambiguous: true, wait: 2 * time.Second}},
		"500 generic":                {apierrors.NewInternalError(errors.New("x")), verdict{retry: true, limit: 5, ambiguous: true}},
		"webhook does not answer":    {apierrors.NewInternalError(errors.New(`failed calling webhook "v": failed to call webhook: Post "https://x": context deadline exceeded`)), verdict{retry: true}},
		"webhook denied":             {answered(400, "BadRequest", `admission webhook "v" denied the request: no`), verdict{}},
		"500 of input":               {answered(500, "", "failed to create typed patch object (x): errors"), verdict{}},
		"500 of duplicate keys":      {answered(500, "", `.spec.ports: duplicate entries for key [name="a"]`), verdict{}},
		"400":                        {apierrors.NewBadRequest("x"), verdict{}},
		"401":                        {apierrors.NewUnauthorized("x"), verdict{retry: true, limit: 1}},
		"403":                        {apierrors.NewForbidden(resource, "a", errors.New("x")), verdict{}},
		"404":                        {apierrors.NewNotFound(resource, "a"), verdict{}},
		"409":                        {apierrors.NewConflict(resource, "a", errors.New("x")), verdict{}},
		"409 of managers":            {apierrors.NewApplyConflict([]metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict}}, "x"), verdict{}},
		"413":                        {apierrors.NewRequestEntityTooLargeError("x"), verdict{}},
		"422":                        {answered(422, metav1.StatusReasonInvalid, "x"), verdict{}},
		"refused":                    {transported(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), verdict{retry: true, offline: true}},
		"reset":                      {transported(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), verdict{retry: true, ambiguous: true, offline: true}},
		"EOF":                        {transported(io.EOF), verdict{retry: true, ambiguous: true, offline: true}},
		"cut off":                    {fmt.Errorf("unexpected error when reading response body. Original error: %w", io.ErrUnexpectedEOF), verdict{retry: true, ambiguous: true, offline: true}},
		"GOAWAY":                     {transported(errors.New("http2: server sent GOAWAY and closed the connection")), verdict{retry: true, ambiguous: true, offline: true}},
		"connection lost":            {transported(errors.New("http2: client connection lost")), verdict{retry: true, ambiguous: true, offline: true}},
		"silence":                    {transported(errStalled), verdict{retry: true, ambiguous: true, offline: true}},
		"attempt timed out":          {transported(context.DeadlineExceeded), verdict{retry: true, ambiguous: true, offline: true}},
		"cancelled":                  {transported(context.Canceled), verdict{ambiguous: true}},
		"cancelled before it began":  {notSent{context.DeadlineExceeded}, verdict{}},
		"no such host":               {transported(&net.DNSError{Err: "no such host", IsNotFound: true}), verdict{offline: true}},
		"DNS fails for now":          {transported(&net.DNSError{Err: "server misbehaving", IsTemporary: true}), verdict{retry: true, offline: true}},
		"unknown authority":          {transported(x509.UnknownAuthorityError{}), verdict{}},
		"certificate of another":     {transported(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}), verdict{}},
		"exec plugin":                {transported(errors.New("getting credentials: exec: executable aws failed with exit code 1")), verdict{retry: true, limit: 2}},
		"answer is not Kubernetes'":  {fmt.Errorf("%w: it is HTML", errBadBody), verdict{ambiguous: true}},
		"stream ended":               {transported(errors.New("stream error: stream ID 43; INTERNAL_ERROR; received from peer")), verdict{retry: true, ambiguous: true, offline: true}},
		"unknown":                    {errors.New("x"), verdict{ambiguous: true}},
		"HTTP answer to a TLS hello": {transported(errors.New("http: server gave HTTP response to HTTPS client")), verdict{ambiguous: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := classify(c.err); got != c.want {
				t.Errorf("%v: got %+v, want %+v", c.err, got, c.want)
			}
		})
	}
}

// A server that is away for less than a read waits is met when it comes back,
// however long the last wait would have been.
func TestReadsOutlastARestart(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			c := &Client{slots: make(chan struct{}, 1)}
			began := time.Now()
			err := c.do(t.Context(), op{verb: "get"}, func(context.Context) error {
				if time.Since(began) < offlineReads-time.Millisecond {
					return transported(&net.OpError{Op: "read", Err: syscall.ECONNRESET})
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Each kind of failure has its own number of retries: the one of a 401 is there after
// a lost connection as well, and is one.
func TestRetriesAreCountedByKind(t *testing.T) {
	unauthorized := answered(http.StatusUnauthorized, metav1.StatusReasonUnauthorized, "no")
	transient := answered(http.StatusInternalServerError, metav1.StatusReasonInternalError, "something broke")
	lost := transported(&net.OpError{Op: "read", Err: syscall.ECONNRESET})
	for name, c := range map[string]struct {
		answers []error
		ends    bool // well
	}{
		"401":                         {[]error{unauthorized, nil}, true},
		"401 after a reset":           {[]error{lost, lost, unauthorized, nil}, true},
		"reset after a 401":           {[]error{unauthorized, lost, nil}, true},
		"401 twice":                   {[]error{unauthorized, unauthorized, nil}, false},
		"401 twice, and a reset":      {[]error{unauthorized, lost, unauthorized, nil}, false},
		"401 and 500, each in bounds": {[]error{transient, unauthorized, transient, nil}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &Client{slots: make(chan struct{}, 1)}
				n := -1
				err := client.do(t.Context(), op{verb: "get"}, func(context.Context) error { n++; return c.answers[n] })
				if (err == nil) != c.ends {
					t.Error(err)
				}
			})
		})
	}
}

func TestBackoffIsBounded(t *testing.T) {
	for attempt := range 100 {
		if d := backoff(attempt); d <= 0 || d > backoffCap {
			t.Errorf("attempt %d waits %v", attempt, d)
		}
	}
}

// silent is a server that takes a connection and never answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = connection.Close() })
		}
	}()
	return listener.Addr().String()
}

func TestStallGuardEndsABlackHole(t *testing.T) {
	guard := &stallGuard{next: http.DefaultTransport, limit: 50 * time.Millisecond}
	if _, err := get(t, guard, "http://"+silent(t)); !errors.Is(err, errStalled) {
		t.Fatal(err)
	}
}

// link is a transport whose answers come when the test says so.
type link struct {
	headers chan struct{}
	body    *io.PipeReader
}

func (l link) RoundTrip(request *http.Request) (*http.Response, error) {
	select {
	case <-l.headers:
		return &http.Response{Body: l.body}, nil
	case <-request.Context().Done():
		return nil, context.Cause(request.Context())
	}
}

// TestStallGuardWaitsInTheQueue: over a slow link an answer has no byte while others
// are sent before it. It is given up when they have been sent and it still does not
// come, and after stallPatience limits.
func TestStallGuardWaitsInTheQueue(t *testing.T) {
	for name, others := range map[string]time.Duration{
		"others end":    stallLimit * 2,
		"others do not": stallLimit * 10,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, server := io.Pipe()
				flowing := link{headers: make(chan struct{}), body: body}
				close(flowing.headers)
				guard := &stallGuard{next: flowing, limit: stallLimit}
				first, err := get(t, guard, "http://cluster/first")
				if err != nil {
					t.Fatal(err)
				}
				var sending sync.WaitGroup
				defer sending.Wait()
				sending.Go(func() {
					second := time.NewTicker(time.Second)
					defer second.Stop()
					for begin := time.Now(); time.Since(begin) < others; <-second.C {
						_, _ = server.Write([]byte("x"))
					}
					_ = server.Close()
				})
				sending.Go(func() { _, _ = io.Copy(io.Discard, first.Body); _ = first.Body.Close() })

				guard.next = link{headers: make(chan struct{})}
				begin := time.Now()
				if _, err := get(t, guard, "http://cluster/second"); !errors.Is(err, errStalled) {
					t.Fatal(err)
				}
				least, most := min(others, stallPatience*stallLimit), min(others+2*stallLimit, stallPatience*stallLimit)
				if took := time.Since(begin); took < least || took > most {
					t.Errorf("given up after %s, not within %s to %s", took, least, most)
				}
			})
		})
	}
}

func get(t *testing.T, transport http.RoundTripper, url string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return transport.RoundTrip(request)
}
