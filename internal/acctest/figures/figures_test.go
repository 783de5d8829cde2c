package figures_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/figures"
)

func TestWrite(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a\n<!-- figures: make one -->\nold\n<!-- end of figures -->\nb\n<!-- figures: make two -->\nold\n<!-- end of figures -->\nc\n")
	if err := figures.Write(page, "make two", "new"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := "a\n<!-- figures: make one -->\nold\n<!-- end of figures -->\nb\n<!-- figures: make two -->\nnew\n<!-- end of figures -->\nc\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	for _, text := range []string{"no place", "<!-- figures: make two --> without an end"} {
		write(text)
		if err := figures.Write(page, "make two", "new"); err == nil {
			t.Errorf("figures were written into %q", text)
		}
		if left, err := os.ReadFile(page); err != nil || string(left) != text {
			t.Errorf("%q became %q, %v", text, left, err)
		}
	}
}
