package workspace

import (
	"io"
	"sync"
)

// lockedWriter lets two pipes of one process end in one buffer.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
