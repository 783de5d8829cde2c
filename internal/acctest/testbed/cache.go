package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// cacheDir is where builds, wheels and generated manifests live between runs:
// outside the checkout, so that `git clean` and a second checkout cost nothing.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory for the test binaries: %w (set HOME or XDG_CACHE_HOME)", err)
	}
	dir := filepath.Join(base, "terraform-provider-istio")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("create the cache of the test binaries: %w", err)
	}
	return dir, nil
}

// fileLock is a lock that the kernel gives back when its holder dies.
type fileLock struct{ f *os.File }

// tryLock returns nil without an error when somebody else holds the lock.
func tryLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &fileLock{f}, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}

// lock waits for the lock and says so, once, when there is something to wait for.
func lock(ctx context.Context, path string, out io.Writer, what string) (*fileLock, error) {
	for first := true; ; first = false {
		l, err := tryLock(path)
		if l != nil || err != nil {
			return l, err
		}
		if first {
			_, _ = fmt.Fprintf(out, "testbed: waiting for another process that prepares %s\n", what)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for %s: %w", path, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (l *fileLock) unlock() {
	if l != nil {
		_ = l.f.Close()
	}
}
