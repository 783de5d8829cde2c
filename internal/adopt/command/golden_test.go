package command

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden adopts testdata/<case>.in.yaml with the flags that stand in it,
// into <case>.out.tf, the configuration, and <case>.report.txt, which ends in
// the exit code.
func TestGolden(t *testing.T) {
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := Run(t.Context(), append(flagsOf(t, name), "-f", "testdata/"+name+".in.yaml"), nil, &stdout, &stderr)
			fmt.Fprintf(&stderr, "\nexit code %d\n", code)
			golden(t, "testdata/"+name+".out.tf", stdout.Bytes())
			golden(t, "testdata/"+name+".report.txt", stderr.Bytes())
		})
	}
}

// cases are the names of the golden inputs.
func cases(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for i, path := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(path), ".in.yaml")
	}
	return paths
}

// flagsOf returns what stands behind "# adopt:" in an input.
func flagsOf(t *testing.T, name string) []string {
	t.Helper()
	for line := range strings.Lines(read(t, name+".in.yaml")) {
		if flags, ok := strings.CutPrefix(line, "# adopt:"); ok {
			return strings.Fields(flags)
		}
	}
	t.Fatalf("testdata/%s.in.yaml says no flags", name)
	return nil
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it); got\n%s", err, got)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: go test -update accepts this:\n%s", path, diff)
	}
}
