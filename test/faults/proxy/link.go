package proxy

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Link is the network between a client and the proxy. The zero value is
// loopback.
type Link struct {
	// RoundTrip is how long a byte takes there and back.
	RoundTrip time.Duration
	// BytesPerSecond bounds each direction of each connection; 0 does not.
	BytesPerSecond int
}

// queue is how many bytes wait before a link that bounds them, at most: the buffers of
// a socket and of what is in between. Who writes more waits.
const queue = 64 << 10

// listener shapes, counts and drops connections.
type listener struct {
	net.Listener

	mu    sync.Mutex
	link  Link
	until time.Time
	open  map[net.Conn]bool
}

func newListener(inner net.Listener) *listener {
	return &listener{Listener: inner, open: map[net.Conn]bool{}}
}

func (l *listener) shape(link Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.link = link
}

func (l *listener) refuse(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = until
}

func (l *listener) dropAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.open {
		drop(conn)
	}
	clear(l.open)
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if wrapped, err := l.admit(conn); err == nil {
			return wrapped, nil
		}
		drop(conn)
	}
}

func (l *listener) admit(conn net.Conn) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.until) {
		return nil, errDown
	}
	l.open[conn] = true
	t := &tracked{Conn: conn, listener: l}
	if l.link == (Link{}) {
		return t, nil
	}
	return newSlow(t, l.link), nil
}

// tracked is an open connection of a listener.
type tracked struct {
	net.Conn
	listener *listener
}

// NetConn returns what is underneath.
func (t *tracked) NetConn() net.Conn { return t.Conn }

func (t *tracked) Close() error {
	t.listener.mu.Lock()
	delete(t.listener.open, t.Conn)
	t.listener.mu.Unlock()
	return t.Conn.Close()
}

// slow is a connection over a Link. What is written on one side comes out of
// the other half a round trip later; much of it is on its way at once.
type slow struct {
	net.Conn
	in, out *pipe
}

func newSlow(conn net.Conn, link Link) *slow {
	s := &slow{Conn: conn, in: newPipe(link), out: newPipe(link)}
	go func() { // what comes in
		buffer := make([]byte, 32<<10)
		for {
			n, err := conn.Read(buffer)
			err = errors.Join(err, s.in.put(buffer[:n]))
			if err != nil {
				s.in.close(io.EOF)
				return
			}
		}
	}()
	go func() { // what goes out
		buffer := make([]byte, 32<<10)
		for {
			n, err := s.out.get(buffer, time.Time{})
			if err == nil {
				_, err = conn.Write(buffer[:n])
			}
			if err != nil {
				s.out.close(err)
				_ = conn.Close()
				return
			}
		}
	}()
	return s
}

// NetConn returns what is underneath.
func (s *slow) NetConn() net.Conn { return s.Conn }

func (s *slow) Read(p []byte) (int, error) { return s.in.get(p, s.in.deadline()) }

func (s *slow) Write(p []byte) (int, error) {
	if err := s.out.put(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s *slow) Close() error {
	s.out.close(io.EOF)
	s.in.close(net.ErrClosed)
	return nil // closed underneath once all has gone out
}

func (s *slow) SetReadDeadline(t time.Time) error { s.in.setDeadline(t); return nil }

func (s *slow) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// pipe holds bytes until they are due.
type pipe struct {
	link Link

	mu    sync.Mutex
	some  *sync.Cond
	parts []part
	// waiting is how many bytes they have.
	waiting int
	free    time.Time // when the link has carried all that was put
	err     error
	limit   time.Time
}

type part struct {
	due   time.Time
	bytes []byte
}

func newPipe(link Link) *pipe {
	p := &pipe{link: link}
	p.some = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) put(bytes []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(bytes) == 0 {
		return p.err
	}
	for p.link.BytesPerSecond > 0 && p.waiting > queue && p.err == nil {
		p.some.Wait()
	}
	if p.err != nil {
		return p.err
	}
	p.waiting += len(bytes)
	begin := time.Now()
	if p.free.After(begin) {
		begin = p.free
	}
	p.free = begin
	if rate := p.link.BytesPerSecond; rate > 0 {
		p.free = begin.Add(time.Duration(len(bytes)) * time.Second / time.Duration(rate))
	}
	p.parts = append(p.parts, part{p.free.Add(p.link.RoundTrip / 2), append([]byte(nil), bytes...)})
	p.some.Broadcast()
	return nil
}

// get waits until a part is due.
func (p *pipe) get(into []byte, deadline time.Time) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		now := time.Now()
		switch {
		case !deadline.IsZero() && !now.Before(deadline):
			return 0, os.ErrDeadlineExceeded
		case len(p.parts) == 0 && p.err != nil:
			return 0, p.err
		case len(p.parts) > 0 && !p.parts[0].due.After(now):
			n := copy(into, p.parts[0].bytes)
			p.waiting -= n
			p.some.Broadcast()
			if p.parts[0].bytes = p.parts[0].bytes[n:]; len(p.parts[0].bytes) == 0 {
				p.parts = p.parts[1:]
			}
			return n, nil
		case len(p.parts) > 0 && errors.Is(p.err, net.ErrClosed):
			return 0, p.err
		}
		var wake *time.Timer
		if len(p.parts) > 0 {
			wake = time.AfterFunc(p.parts[0].due.Sub(now), p.wake)
		} else if !deadline.IsZero() {
			wake = time.AfterFunc(deadline.Sub(now), p.wake)
		}
		p.some.Wait()
		if wake != nil {
			wake.Stop()
		}
	}
}

// wake lets those that wait look again. Under the lock: a time that is up at once must
// not call before the one who set it waits, who would then wait for ever.
func (p *pipe) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.some.Broadcast()
}

func (p *pipe) close(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
	p.some.Broadcast()
}

func (p *pipe) deadline() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit
}

func (p *pipe) setDeadline(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = t
	p.some.Broadcast()
}
