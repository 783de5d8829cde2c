package cluster

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// stallLimit is how long a request may go without a byte from the server. A
// slow link is fine, a black hole is not: client-go has no limit of its own.
const stallLimit = 30 * time.Second

var errStalled = errors.New("the server stopped answering")

// stallGuard cancels a request whose answer does not come, or stops coming.
// Watches are left alone once they have begun: silence is normal there.
type stallGuard struct {
	next  http.RoundTripper
	limit time.Duration
}

func (g *stallGuard) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	timer := time.AfterFunc(g.limit, func() { cancel(errStalled) })
	response, err := g.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		timer.Stop()
		if errors.Is(context.Cause(ctx), errStalled) {
			err = errStalled
		}
		cancel(nil)
		return nil, err
	}
	if request.URL.Query().Get("watch") != "" {
		timer.Stop()
	}
	response.Body = &stallBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel, timer: timer, limit: g.limit}
	return response, nil
}

// WrappedRoundTripper lets client-go find the transport underneath.
func (g *stallGuard) WrappedRoundTripper() http.RoundTripper { return g.next }

type stallBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration
}

func (b *stallBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		if b.timer.Stop() {
			b.timer.Reset(b.limit)
		}
	} else if err != io.EOF && errors.Is(context.Cause(b.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

func (b *stallBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
