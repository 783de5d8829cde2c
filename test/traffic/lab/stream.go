package lab

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Stream is one workload that makes the same call again and again.
type Stream struct {
	lab  *Lab
	from Pod
	call Call
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	want  Want
	made  int
	wrong []string
}

// pace is the pause between two calls of a stream.
const pace = 20 * time.Millisecond

// Stream begins with a call that comes to what is wanted, as Expect does, and
// then goes on until End. No call may come to anything else.
func (l *Lab) Stream(from Pod, call Call, want Want) *Stream {
	l.t.Helper()
	l.Expect(from, call, want)
	ctx, cancel := context.WithCancel(context.Background())
	s := &Stream{lab: l, from: from, call: call, want: want, stop: cancel, done: make(chan struct{})}
	l.t.Cleanup(func() { s.stop(); <-s.done })
	go s.flow(ctx)
	return s
}

func (s *Stream) flow(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		s.mu.Lock()
		want := s.want
		s.mu.Unlock()
		began := time.Now()
		_, err := s.lab.try(ctx, s.from, s.call, want)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		s.made++
		if err != nil {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: %v", began.Format("15:04:05.000"), err))
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(pace):
		}
	}
}

// Grow waits until the stream has made that many further calls.
func (s *Stream) Grow(calls int) {
	s.lab.t.Helper()
	s.mu.Lock()
	goal := s.made + calls
	s.mu.Unlock()
	s.lab.Eventually(fmt.Sprintf("%d further calls", calls), func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.made < goal {
			return fmt.Errorf("%d to go", goal-s.made)
		}
		return nil
	})
}

// End ends the stream and fails the test for every call that came to something else.
func (s *Stream) End() {
	s.lab.t.Helper()
	s.stop()
	<-s.done
	s.lab.t.Logf("%s called %s %d times, %d wrong", s.from, s.call, s.made, len(s.wrong))
	if len(s.wrong) > 0 {
		s.lab.t.Errorf("%s calls %s: %d of %d calls went wrong, first and last:\n%s\n%s", s.from, s.call,
			len(s.wrong), s.made, s.wrong[0], s.wrong[len(s.wrong)-1])
	}
}
