package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// goBuild says how one executable comes out of one of our Go modules.
type goBuild struct {
	name    string   // of the executable and of its folder in the cache
	dir     string   // module or package folder
	pkg     string   // what to build, seen from dir
	ldflags string   // versions that the component reports
	links   []string // names under which a multi-call executable is known too
	about   string   // for the progress line
}

// ensure returns the cached executable, building it if it is not there. One
// process builds, all others wait for it. The key is the pins and our sources, so
// that a changed pin never meets an old binary.
func (b goBuild) ensure(ctx context.Context, out io.Writer) (string, error) {
	key, err := b.key()
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	final := filepath.Join(cache, b.name+"-"+key)
	bin := filepath.Join(final, b.name)
	if isFile(bin) {
		return bin, nil
	}
	l, err := lock(ctx, filepath.Join(cache, b.name+".lock"), out, b.about)
	if err != nil {
		return "", err
	}
	defer l.unlock()
	if isFile(bin) {
		return bin, nil
	}
	tmp, err := makePart(cache, b.name)
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := b.run(ctx, out, filepath.Join(tmp, b.name)); err != nil {
		return "", err
	}
	for _, link := range b.links {
		if err := os.Symlink(b.name, filepath.Join(tmp, link)); err != nil {
			return "", err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, final); err != nil {
		return "", fmt.Errorf("put %s into the cache: %w", b.name, err)
	}
	return bin, nil
}

// makePart returns a folder to build in, after removing those that interrupted
// builds have left: the caller holds the lock, so that no other is in use.
func makePart(cache, name string) (string, error) {
	left, _ := filepath.Glob(filepath.Join(cache, name+"-*.part"))
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
	return os.MkdirTemp(cache, name+"-*.part")
}

func (b goBuild) run(ctx context.Context, out io.Writer, target string) error {
	_, _ = fmt.Fprintf(out, "testbed: building %s (once; kept in the user's cache directory)\n", b.about)
	began := time.Now()
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(30 * time.Second):
				_, _ = fmt.Fprintf(out, "testbed: still building %s, %d s\n", b.name, int(time.Since(began).Seconds()))
			}
		}
	}()
	// No -trimpath: with the flags of a plain `go test`, client-go and apimachinery
	// come out of the compiler's cache instead of being compiled a second time.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-ldflags", "-s -w "+b.ldflags, "-o", target, b.pkg)
	cmd.Dir = b.dir
	cmd.Env = goEnv()
	output, err := cmd.CombinedOutput()
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("build %s: no go command on PATH", b.name)
		}
		return fmt.Errorf("build %s in %s: %w\n%s", b.name, b.dir, err, tail(string(output), 40))
	}
	_, _ = fmt.Fprintf(out, "testbed: built %s in %.0f s\n", b.name, time.Since(began).Seconds())
	return nil
}

// goEnv shields a build from settings that are meant for the module around it.
func goEnv() []string {
	env := os.Environ()[:len(os.Environ()):len(os.Environ())]
	return append(env, "GOWORK=off", "GOFLAGS=", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
}

// key is a hash over everything of ours that decides about a build: pins and the
// few Go files beside them.
func (b goBuild) key() (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, runtime.GOOS, runtime.GOARCH, b.pkg, b.ldflags, b.links)
	folders := []string{b.dir}
	if strings.HasPrefix(b.pkg, "./") {
		folders = append(folders, filepath.Join(b.dir, b.pkg))
	}
	for _, folder := range folders {
		if err := hashSources(h, folder); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

func hashSources(h io.Writer, folder string) error {
	entries, err := os.ReadDir(folder) // sorted by name
	if err != nil {
		return fmt.Errorf("read the pins: %w", err)
	}
	for _, e := range entries {
		n := e.Name()
		if n != "go.mod" && n != "go.sum" && (!strings.HasSuffix(n, ".go") || strings.HasSuffix(n, "_test.go")) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, n))
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(h, n, len(content))
		_, _ = h.Write(content)
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}
