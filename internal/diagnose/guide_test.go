package diagnose_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const docs = "../../docs"

var (
	topic    = regexp.MustCompile(`Topic = "([^"#]+)#([^"]+)"`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	link     = regexp.MustCompile(`\]\(([^)]+)\)`)
	unlinked = regexp.MustCompile(`[^a-z0-9_ -]`)
)

// anchors returns the anchors of a page's headings, as GitHub and the registry
// make them.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		found[strings.ReplaceAll(unlinked.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-")] = true
	}
	return found
}

// TestTopicsExist looks for the heading that each diagnostic leads to.
func TestTopicsExist(t *testing.T) {
	var topics [][]string
	for _, file := range []string{"guide.go", "../compile/problem.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := topic.FindAllStringSubmatch(string(source), -1)
		if len(found) == 0 {
			t.Fatalf("%s has no topics", file)
		}
		topics = append(topics, found...)
	}
	for _, found := range topics {
		if page := "../../templates/guides/" + found[1] + ".md.tmpl"; !anchors(t, page)[found[2]] {
			t.Errorf("%s has no heading for #%s", page, found[2])
		}
	}
}

// TestLinksOfGuides follows the links of the guides to pages and headings of
// the documentation.
func TestLinksOfGuides(t *testing.T) {
	pages, err := filepath.Glob(docs + "/guides/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.HasPrefix(target, "https://") {
				continue
			}
			to := page
			if target != "" {
				to = filepath.Join(filepath.Dir(page), target+".md")
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: %s leads nowhere", page, match[1])
			} else if anchor != "" && !anchors(t, to)[anchor] {
				t.Errorf("%s: %s has no such heading", page, match[1])
			}
		}
	}
}
