package testbed

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const runDirPrefix = "terraform-provider-istio-testbed-"

// makeDir prepares the run directory and holds a lock in it for as long as this
// process lives.
func (cp *ControlPlane) makeDir(dir string) error {
	if dir == "" {
		removeAbandoned()
		temp, err := os.MkdirTemp("", runDirPrefix)
		if err != nil {
			return err
		}
		dir, cp.temporary = temp, true
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	cp.Dir = dir
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
		return err
	}
	l, err := tryLock(filepath.Join(dir, "lock"))
	if err != nil {
		return err
	}
	if l == nil {
		// Stop must not touch the directory of the one that holds the lock.
		cp.temporary = false
		return fmt.Errorf("another control plane runs in %s", dir)
	}
	cp.dirLock = l
	return nil
}

// removeAbandoned deletes the run directories of processes that died before they
// could: their lock is free. Fresh ones may not be locked yet.
func removeAbandoned() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), runDirPrefix+"*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < 10*time.Minute {
			continue
		}
		if l, err := tryLock(filepath.Join(dir, "lock")); err == nil && l != nil {
			_ = os.RemoveAll(dir)
			l.unlock()
		}
	}
}
