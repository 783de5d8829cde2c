package cluster

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// stallLimit is how long a request may go without a byte from the server. A
// slow link is fine, a black hole is not: client-go has no limit of its own.
const stallLimit = 30 * time.Second

// stallPatience is for how many limits a request waits while the server sends
// other answers: over a slow link they queue in front of its own.
const stallPatience = 4

var errStalled = errors.New("the server stopped answering")

// stallGuard cancels a request whose answer does not come, or stops coming.
// Watches are left alone once they have begun: silence is normal there.
type stallGuard struct {
	next  http.RoundTripper
	limit time.Duration
	// heard counts what came of any answer but those of watches.
	heard atomic.Int64
}

func (g *stallGuard) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	silence := g.listen(func() { cancel(errStalled) })
	response, err := g.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		silence.end()
		if errors.Is(context.Cause(ctx), errStalled) {
			err = errStalled
		}
		cancel(nil)
		return nil, err
	}
	if request.URL.Query().Get("watch") != "" {
		silence.end()
	} else {
		silence.broken()
	}
	response.Body = &stallBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel, silence: silence}
	return response, nil
}

// WrappedRoundTripper lets client-go find the transport underneath.
func (g *stallGuard) WrappedRoundTripper() http.RoundTripper { return g.next }

// silence is the time since the last byte of one answer.
type silence struct {
	guard   *stallGuard
	stalled func()

	mu    sync.Mutex
	timer *time.Timer
	// limits is how many of them have passed in it, heard what the guard had
	// counted when the last one did.
	limits int
	heard  int64
	over   bool
}

// listen calls stalled when an answer has been silent for too long.
func (g *stallGuard) listen(stalled func()) *silence {
	s := &silence{guard: g, stalled: stalled, heard: g.heard.Load()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(g.limit, s.pass)
	return s
}

// pass is called when a limit has passed.
func (s *silence) pass() {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := s.guard.heard.Load()
	s.limits++
	switch {
	case s.over:
	case heard == s.heard, s.limits == stallPatience:
		s.stalled()
	default:
		s.heard = heard
		s.timer.Reset(s.guard.limit)
	}
}

// broken is called when something came of the answer.
func (s *silence) broken() {
	heard := s.guard.heard.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.limits, s.heard = 0, heard
	s.timer.Reset(s.guard.limit)
}

func (s *silence) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.timer.Stop()
}

type stallBody struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	silence *silence
}

func (b *stallBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		b.silence.broken()
	} else if err != io.EOF && errors.Is(context.Cause(b.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

func (b *stallBody) Close() error {
	b.silence.end()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}
