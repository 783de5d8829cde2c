package endtoend_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// snippet is a block of Terraform in a page; one in a list is indented.
var snippet = regexp.MustCompile("(?ms)^ *```terraform\n(.*?)^ *```$")

// TestGuidesLifecycle validates the configurations in the guides as they are
// published. Those that come from examples/guides are applied by
// TestExamplesLifecycle.
func TestGuidesLifecycle(t *testing.T) {
	f := acctest.New(t)
	pages, err := filepath.Glob(filepath.Join(acctest.Root(), "docs", "guides", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, found := range snippet.FindAllStringSubmatch(string(text), -1) {
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(page), i+1), func(t *testing.T) {
				config := found[1]
				if !strings.Contains(config, "required_providers") {
					config = offline + config
				}
				w := f.Workspace(f.CLI, config)
				for _, file := range published(t, "*/*/*.yaml") {
					w.Write(filepath.Base(file), read(t, file))
				}
				w.Expect(0, []string{"validate", "-no-color"}, "Success!")
			})
		}
	}
}
