package release

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/licensecheck"
)

// unwanted are modules that the provider's executable must not be linked with: their
// size, their opinions, or the wrong way to do what we do.
var unwanted = []string{
	"sigs.k8s.io/controller-runtime",
	"sigs.k8s.io/kustomize",
	"k8s.io/kubectl",
	"k8s.io/cli-runtime",
	"k8s.io/kubernetes",
	"k8s.io/apiextensions-apiserver",
	"helm.sh/helm",
	"istio.io/istio",
	"github.com/envoyproxy",
	"github.com/cncf/xds",
	"github.com/fluxcd/pkg/ssa",
	"github.com/hashicorp/go-retryablehttp",
	"github.com/hashicorp/terraform-plugin-sdk",
	"github.com/hashicorp/terraform-plugin-testing",
	"github.com/google/licensecheck",
	"pgregory.net/rapid",
}

// allowed are the licences that go together with MPL-2.0 in one executable.
var allowed = []string{"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0"}

// linked are the modules of the executable, and their folders. `go list` goes by
// build constraints, so that every platform has a list of its own.
var linked = sync.OnceValues(func() (map[string]string, error) {
	config, err := Load(root)
	if err != nil {
		return nil, err
	}
	modules := map[string]string{}
	for _, goos := range config.Builds[0].Goos {
		command := exec.Command("go", "list", "-deps", "-json=ImportPath,Module", ".")
		command.Dir = root
		command.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		output, err := command.Output()
		if err != nil {
			return nil, err
		}
		decoder := json.NewDecoder(bytes.NewReader(output))
		for {
			var p struct {
				ImportPath string
				Module     *struct {
					Path, Dir string
					Main      bool
				}
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module != nil && !p.Module.Main {
				modules[p.Module.Path] = p.Module.Dir
			}
		}
	}
	if len(modules) < 20 {
		return nil, fmt.Errorf("%d modules only: %v", len(modules), modules)
	}
	return modules, nil
})

func linkedModules(t *testing.T) map[string]string {
	t.Helper()
	modules, err := linked()
	if err != nil {
		t.Fatal(err)
	}
	return modules
}

func TestLinkedModules(t *testing.T) {
	for module := range linkedModules(t) {
		for _, prefix := range unwanted {
			if module == prefix || strings.HasPrefix(module, prefix+"/") {
				t.Errorf("the executable is linked with %s", module)
			}
		}
	}
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)`)

func TestLicences(t *testing.T) {
	for module, dir := range linkedModules(t) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, entry := range entries {
			if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			coverage := licensecheck.Scan(text)
			for _, match := range coverage.Match {
				found = append(found, match.ID)
			}
			if coverage.Percent < 50 {
				t.Errorf("%s: half of %s is no known licence: %v", module, entry.Name(), found)
			}
		}
		if len(found) == 0 {
			t.Errorf("%s has no licence that we know", module)
		}
		for _, id := range found {
			if !slices.Contains(allowed, id) {
				t.Errorf("%s is under %s: only %v go into the executable", module, id, allowed)
			}
		}
	}
}
