package simulation

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// regressions is where cases are kept that once failed.
const regressions = "testdata/regressions"

// regression is one of them.
type regression struct {
	// What was wrong.
	What string `json:"what"`
	testCase
}

// TestRegressions checks the cases that once failed.
func TestRegressions(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(regressions, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			once := load(t, file)
			found, err := alone(t, once.testCase)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range found {
				t.Errorf("once: %s\nnow: %s\n%s", once.What, m, text(once.Scenario))
			}
		})
	}
}

func load(t *testing.T, file string) regression {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r regression
	if err := yaml.UnmarshalStrict(content, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// keep makes a failing case smaller as long as it fails, and writes it down.
func keep(t *testing.T, c testCase, file string) {
	t.Helper()
	fails := func(c testCase) bool {
		found, err := alone(t, c)
		return err == nil && len(found) > 0
	}
	if !fails(c) {
		t.Errorf("%s fails only among others", file)
		return
	}
	small := shrink(c, fails, 60)
	found, _ := alone(t, small)
	content, err := yaml.Marshal(regression{What: found[0].String(), testCase: small})
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o755)
	}
	if err == nil {
		err = os.WriteFile(file, content, 0o644)
	}
	if err != nil {
		t.Error(err)
		return
	}
	t.Logf("made smaller, in %s: %s\n%s", file, found[0], text(small.Scenario))
}

// alone checks a case by itself.
func alone(t *testing.T, c testCase) ([]mismatch, error) {
	t.Helper()
	var names namer
	states, err := c.states(&names)
	if err != nil {
		return nil, err
	}
	return check(t, c.Scenario.Settings, states).mismatches, nil
}

// A case that fails becomes a small one that still fails, and that is told
// from one that is right when it is read back.
func TestFailingCaseIsKeptSmall(t *testing.T) {
	noRoute := breakage{objects: func(objects []manifest.Object) []manifest.Object {
		return slices.DeleteFunc(objects, func(o manifest.Object) bool { return o.Body.GetKind() == "VirtualService" })
	}}
	c := drawCase(1, 7, opNone, nil)
	c.broken = noRoute
	file := filepath.Join(t.TempDir(), "case.yaml")
	keep(t, c, file)
	kept := load(t, file)
	if kept.What == "" || size(kept.testCase) >= size(c) {
		t.Errorf("%d of %d parts are left: %s", size(kept.testCase), size(c), kept.What)
	}
	for _, broken := range []breakage{noRoute, {}} {
		again := kept.testCase
		again.broken = broken
		if found, err := alone(t, again); err != nil || (broken.objects != nil) != (len(found) > 0) {
			t.Errorf("broken %t: %v, %d mismatches", broken.objects != nil, err, len(found))
		}
	}
}

// size counts the parts of a case.
func size(c testCase) int { return len(fmt.Sprint(c.Scenario.Policies, c.Scenario.Sidecars, c.Edited)) }
