// Package compiletest reads the cases of the compiler's tests.
package compiletest

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// Cases reads the YAML files that match a pattern, by path. A field that a T
// does not have is an error, and so is it if there are none.
func Cases[T any](t testing.TB, pattern string) map[string]T {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	cases := make(map[string]T, len(paths))
	for _, path := range paths {
		var c T
		Read(t, path, &c)
		cases[path] = c
	}
	return cases
}

// Read reads a YAML file over what value points to.
func Read(t testing.TB, path string, value any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, value); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
