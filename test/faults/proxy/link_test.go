package proxy

import (
	"errors"
	"io"
	"testing"
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
