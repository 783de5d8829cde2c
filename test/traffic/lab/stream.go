package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Stream is one workload that makes the same call again and again.
type Stream struct {
	lab  *Lab
	from Pod
	call Call
	want Want
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	made  int
	wrong []Loss
}

// Loss is a call of a stream that did not come to what is wanted.
type Loss struct {
	// ID of the call, which its URL has as its path.
	ID string
	// Began and Ended are when it was made.
	Began, Ended time.Time
	Err          error
}

// String is one line.
func (l Loss) String() string { return fmt.Sprintf("%s: %v", l.Began.Format("15:04:05.000"), l.Err) }

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
		call, began := s.call, time.Now()
		call.ID = rand.Text()
		_, err := s.lab.try(ctx, s.from, call, s.want)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		s.made++
		if err != nil {
			s.wrong = append(s.wrong, Loss{ID: call.ID, Began: began, Ended: time.Now(), Err: err})
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
	s.EndExplained(func(Loss) error { return errors.New("no call may be lost") })
}

// EndExplained is End for a stream that may lose calls: explain returns an error for one
// that must not have been lost. It returns how many calls were lost.
func (s *Stream) EndExplained(explain func(Loss) error) int {
	s.lab.t.Helper()
	s.stop()
	<-s.done
	s.lab.t.Logf("%s called %s %d times, %d wrong", s.from, s.call, s.made, len(s.wrong))
	var unexplained []Loss
	for _, loss := range s.wrong {
		if err := explain(loss); err != nil {
			loss.Err = fmt.Errorf("%w (%w)", loss.Err, err)
			unexplained = append(unexplained, loss)
		}
	}
	if len(unexplained) > 0 {
		s.lab.t.Errorf("%s calls %s: %d of %d calls went wrong, first and last:\n%s\n%s", s.from, s.call,
			len(unexplained), s.made, unexplained[0], unexplained[len(unexplained)-1])
	}
	return len(s.wrong)
}
