package release

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// pinned is an action at a commit, with the tag in a comment for people and Dependabot.
var (
	pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	uses   = regexp.MustCompile(`(?m)^\s*-? *uses: *(.*)$`)
	target = regexp.MustCompile(`(?m)^([a-z-]+):`)
	called = regexp.MustCompile(`\bmake ([a-z-]+)`)
)

// TestWorkflows: actions are pinned by digest, nobody gets more than he needs, and what
// runs is what a contributor can run: targets of GNUmakefile.
func TestWorkflows(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "GNUmakefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, match := range target.FindAllStringSubmatch(string(makefile), -1) {
		targets[match[1]] = true
	}
	paths, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	if err != nil || len(paths) < 4 {
		t.Fatalf("%v (%v)", paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range uses.FindAllStringSubmatch(string(text), -1) {
				if !pinned.MatchString(strings.TrimSpace(match[1])) {
					t.Errorf("%s is not pinned as <action>@<commit> # <tag>", match[1])
				}
			}
			var workflow struct {
				Permissions map[string]string
				Jobs        map[string]struct {
					TimeoutMinutes int `json:"timeout-minutes"`
					Steps          []struct{ Name, Run string }
				}
			}
			if err := yaml.Unmarshal(text, &workflow); err != nil {
				t.Fatal(err)
			}
			if len(workflow.Permissions) != 1 || workflow.Permissions["contents"] != "read" {
				t.Errorf("permissions of the workflow are %v: give more to the job that needs it", workflow.Permissions)
			}
			for name, job := range workflow.Jobs {
				if job.TimeoutMinutes == 0 {
					t.Errorf("job %s has no timeout-minutes", name)
				}
				for _, step := range job.Steps {
					made := called.FindStringSubmatch(step.Run)
					switch {
					case step.Run == "" || step.Name != "": // one that says what it does
					case made == nil:
						t.Errorf("job %s: %q is no make target", name, step.Run)
					case !targets[made[1]]:
						t.Errorf("job %s: GNUmakefile has no target %s", name, made[1])
					}
				}
			}
		})
	}
}

// TestKindImages: a node image belongs to one kind, and is pinned by digest.
func TestKindImages(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "test/kind/versions"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^(\d+\.\d+) v\d+\.\d+\.\d+ kindest/node:v(\d+\.\d+)\.\d+@sha256:[0-9a-f]{64}$`)
	for l := range strings.Lines(string(text)) {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "#") {
			continue
		}
		if match := line.FindStringSubmatch(l); match == nil || match[1] != match[2] {
			t.Errorf("%q is not <Kubernetes> <kind> <image of that Kubernetes with a digest>", l)
		}
	}
}
