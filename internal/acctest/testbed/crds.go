package testbed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// loadCRDs returns Istio's CRDs out of a file, or of a version of Istio.
func loadCRDs(ctx context.Context, from string) ([]*unstructured.Unstructured, error) {
	path := from
	if !strings.ContainsAny(from, `/\`) {
		dir, err := downloadModule(ctx, "istio.io/api", "v"+from)
		if err != nil {
			return nil, fmt.Errorf("the CRDs of Istio %s (a path takes them from a file): %w", from, err)
		}
		// What the base chart installs as files/crd-all.gen.yaml is a copy of it.
		path = filepath.Join(dir, "kubernetes", "customresourcedefinitions.gen.yaml")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the CRDs of Istio %s: %w", from, err)
	}
	manifest, err := sortManifest(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(manifest.crds) == 0 {
		return nil, fmt.Errorf("%s: there are no CustomResourceDefinitions in it", path)
	}
	return manifest.crds, nil
}

// downloadModule returns the folder of a Go module in the module cache. The go
// command checks its hash against the checksum database.
func downloadModule(ctx context.Context, path, version string) (string, error) {
	dir, err := os.MkdirTemp("", "testbed-module-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", path+"@"+version)
	cmd.Dir = dir // outside of every module: none has a say in the version
	cmd.Env = goEnv()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, runErr := cmd.Output()
	var answer struct{ Dir, Error string }
	if err := json.Unmarshal(output, &answer); err != nil {
		return "", fmt.Errorf("go mod download %s@%s: %w\n%s", path, version, runErr, stderr.String())
	}
	if answer.Error != "" {
		return "", fmt.Errorf("go mod download %s@%s: %s", path, version, answer.Error)
	}
	return answer.Dir, runErr
}
