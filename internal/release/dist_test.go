package release

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDist looks at a release that was made: RELEASE_DIST is its folder
// (make release-snapshot).
func TestDist(t *testing.T) {
	dist := os.Getenv("RELEASE_DIST")
	if dist == "" {
		t.Skip("RELEASE_DIST is not set: make release-snapshot makes a release and looks at it")
	}
	config := loaded(t)
	sums := checksums(t, dist)
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(one(t, dist, "*_SHA256SUMS")), project+"_"), "_SHA256SUMS")
	manifest := project + "_" + version + "_manifest.json"
	want := []string{manifest}
	for _, goos := range config.Builds[0].Goos {
		for _, goarch := range config.Builds[0].Goarch {
			archive := project + "_" + version + "_" + goos + "_" + goarch + ".zip"
			want = append(want, archive, archive+".spdx.json")
			inArchive(t, filepath.Join(dist, archive), project+"_v"+version, goos)
			inSBOM(t, filepath.Join(dist, archive+".spdx.json"))
		}
	}
	var got []string
	for name, sum := range sums {
		got = append(got, name)
		path := filepath.Join(dist, name)
		if name == manifest { // released under another name than it has here
			path = filepath.Join(root, "terraform-registry-manifest.json")
		}
		if have := sha256Of(t, path); have != sum {
			t.Errorf("%s: the checksum is %s, and the file's %s", name, sum, have)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("checksums of\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if info, err := os.Stat(one(t, dist, "*_SHA256SUMS.sig")); err != nil || info.Size() == 0 {
		t.Errorf("signature: %v", err)
	}
}

// TestArchive: what the command archive builds is what goreleaser builds. It runs
// where an archive is made anyway (make install-check).
func TestArchive(t *testing.T) {
	path := os.Getenv("RELEASE_ARCHIVE")
	if path == "" {
		t.Skip("RELEASE_ARCHIVE is not set: make install-check makes an archive and looks at it")
	}
	parts := strings.Split(strings.TrimSuffix(filepath.Base(path), ".zip"), "_")
	if len(parts) != 4 || parts[0] != project {
		t.Fatalf("%s is not <project>_<version>_<os>_<architecture>.zip", path)
	}
	inArchive(t, path, project+"_v"+parts[1], parts[2])
}

// inArchive: an executable under its name, the licence, and nothing else.
func inArchive(t *testing.T, path, binary, goos string) {
	t.Helper()
	if goos == "windows" {
		binary += ".exe"
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer func() { _ = archive.Close() }()
	var names []string
	for _, file := range archive.File {
		names = append(names, file.Name)
		if file.Name == binary && file.Mode().Perm() != 0o755 {
			t.Errorf("%s: %s has mode %s", path, file.Name, file.Mode())
		}
	}
	if want := []string{"LICENSE", binary}; !slices.Equal(names, want) {
		t.Errorf("%s has %v, want %v", path, names, want)
	}
}

// inSBOM: the document tells the modules of the executable.
func inSBOM(t *testing.T, path string) {
	t.Helper()
	var document struct {
		SPDXVersion string `json:"spdxVersion"`
		Packages    []struct{ Name string }
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &document)
	}
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	found := map[string]bool{}
	for _, p := range document.Packages {
		found[p.Name] = true
	}
	for _, module := range []string{"k8s.io/client-go", "istio.io/api", "github.com/hashicorp/terraform-plugin-framework", "stdlib"} {
		if !found[module] {
			t.Errorf("%s: %s is not among its %d packages", path, module, len(document.Packages))
		}
	}
}

// checksums reads lines of `<sha256>  <name>`.
func checksums(t *testing.T, dist string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(one(t, dist, "*_SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok || len(sum) != 64 {
			t.Fatalf("line %q", lines.Text())
		}
		sums[name] = sum
	}
	return sums
}

func one(t *testing.T, dir, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(paths) != 1 {
		t.Fatalf("%s in %s: %v (%v), want one", pattern, dir, paths, err)
	}
	return paths[0]
}

func sha256Of(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil))
}
