package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// TestChanges: every fragment of the changelog is one that changie takes, so that
// a release does not find out.
func TestChanges(t *testing.T) {
	var config struct {
		ChangesDir    string `json:"changesDir"`
		UnreleasedDir string `json:"unreleasedDir"`
		HeaderPath    string `json:"headerPath"`
		ChangelogPath string `json:"changelogPath"`
		Kinds         []struct{ Label, Auto string }
	}
	text, err := os.ReadFile(filepath.Join(root, ".changie.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, kind := range config.Kinds {
		kinds[kind.Label] = true
	}
	for _, path := range []string{filepath.Join(config.ChangesDir, config.HeaderPath), config.ChangelogPath} {
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(root, config.ChangesDir, config.UnreleasedDir))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root, config.ChangesDir, config.UnreleasedDir, entry.Name()))
			if err != nil {
				t.Fatal(err)
			}
			// The fields of changie's core.Change that this configuration asks for.
			var change struct {
				Kind string    `json:"kind"`
				Body string    `json:"body"`
				Time time.Time `json:"time"`
			}
			if err := yaml.UnmarshalStrict(text, &change); err != nil {
				t.Fatal(err)
			}
			switch {
			case filepath.Ext(entry.Name()) != ".yaml":
				t.Error("changie reads *.yaml only")
			case !kinds[change.Kind]:
				t.Errorf("kind %q is not one of .changie.yaml", change.Kind)
			case !strings.HasPrefix(entry.Name(), change.Kind+"-"):
				t.Errorf("the name should begin with its kind, %s", change.Kind)
			case strings.TrimSpace(change.Body) == "" || strings.Contains(strings.TrimSpace(change.Body), "\n"):
				t.Error("body should be one paragraph: it becomes an item of a list")
			case change.Time.IsZero():
				t.Error("time is missing: changie sorts by it")
			}
		})
	}
}
