package proxy

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestPipeWakes: bytes that are due in a moment are read, also where the moment has
// come before the reader waits for it.
func TestPipeWakes(t *testing.T) {
	p := newPipe(Link{})
	buffer := make([]byte, 1)
	done := make(chan error, 1)
	go func() {
		for i := range 1_000 {
			p.mu.Lock()
			p.parts = append(p.parts, part{time.Now().Add(time.Duration(i%100) * 100 * time.Nanosecond), []byte{1}})
			p.mu.Unlock()
			if _, err := p.get(buffer, time.Time{}); err != nil {
				done <- err
				return
			}
		}
		p.close(io.EOF)
		_, err := p.get(buffer, time.Time{})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("a read waits for bytes that are long due")
	}
}

// TestPipeIsFull: a writer waits while the link has more than its queue to carry, and
// goes on when some of it has been read, or when the connection has ended.
func TestPipeIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(Link{BytesPerSecond: 10 << 10})
		var written atomic.Int64
		ended := make(chan error, 1)
		go func() {
			for {
				if err := p.put(make([]byte, 1<<10)); err != nil {
					ended <- err
					return
				}
				written.Add(1 << 10)
			}
		}()
		synctest.Wait()
		if n := written.Load(); n != queue+1<<10 {
			t.Errorf("%d bytes wait", n)
		}
		before := written.Load()
		for range 3 {
			if _, err := p.get(make([]byte, 1<<10), time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := written.Load() - before; n != 3<<10 {
			t.Errorf("%d bytes follow 3 KB", n)
		}
		p.close(io.EOF)
		if err := <-ended; !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}
