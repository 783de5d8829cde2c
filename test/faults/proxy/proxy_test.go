package proxy

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// A link delivers every byte, in order, no sooner than half a round trip later,
// and its rate bounds what it carries.
func TestLink(t *testing.T) {
	near, far := net.Pipe()
	slow := newSlow(near, Link{RoundTrip: 40 * time.Millisecond, BytesPerSecond: 1 << 20})
	sent := make([]byte, 1<<16)
	for i := range sent {
		sent[i] = byte(i)
	}
	began := time.Now()
	go func() {
		_, _ = far.Write(sent)
		_ = far.Close()
	}()
	got, err := io.ReadAll(slow)
	if err != nil || string(got) != string(sent) {
		t.Fatalf("%d bytes: %v", len(got), err)
	}
	if took, least := time.Since(began), 20*time.Millisecond+time.Second/16; took < least {
		t.Errorf("64 KB came after %s, which is sooner than %s", took, least)
	}
	if err := slow.Close(); err != nil {
		t.Error(err)
	}
	if _, err := slow.Write(sent); !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		t.Errorf("written after the end: %v", err)
	}
}
