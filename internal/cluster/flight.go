package cluster

import (
	"context"
	"errors"
	"time"
)

// flight is one LIST that is under way, with all callers that wait for it.
type flight struct {
	// deadline is that of the caller who began it.
	deadline time.Time
	cancel   context.CancelFunc
	// landed is closed when snap and err are set.
	landed chan struct{}
	snap   *snapshot
	err    error
	// waiting counts its callers; guarded by the client's mu.
	waiting int
}

// board returns the flight for a LIST, and begins it if none is under way. It
// goes on while somebody waits for it: no caller can cancel it for the others,
// and the last who leaves ends it. Each caller leaves once.
func (c *Client) board(ctx context.Context, key listKey, deadline time.Time) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[key]
	if f == nil {
		detached, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
		f = &flight{deadline: deadline, cancel: cancel, landed: make(chan struct{})}
		c.flights[key] = f
		go func() {
			defer cancel()
			f.snap, f.err = c.load(detached, key)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.forget(key, f)
			close(f.landed)
		}()
	}
	f.waiting++
	return f
}

// leave is what each caller does who does not wait any longer.
func (c *Client) leave(key listKey, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		c.forget(key, f)
	}
}

// forget lets the next caller begin anew. The caller holds mu.
func (c *Client) forget(key listKey, f *flight) {
	if c.flights[key] == f {
		delete(c.flights, key)
	}
}

// wait returns whether the flight landed in the caller's time.
func (f *flight) wait(ctx context.Context) bool {
	select {
	case <-f.landed:
		return true
	case <-ctx.Done():
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return false
	}
	// A flight of the same deadline is about to say what it has met.
	select {
	case <-f.landed:
		return true
	case <-time.After(time.Second):
		return false
	}
}
