package terminal_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/terminal"
)

func TestANSI(t *testing.T) {
	got := terminal.ANSI("\x1b[1m  # a.b\x1b[0m will be created\n  \x1b[32m+\x1b[0m\x1b[0m name = \"<x>\"\n\n\x1b[1mPlan:\x1b[0m 1 to add\n")
	want := []terminal.Row{
		{{terminal.Bold, "  # a.b"}, {terminal.Plain, " will be created"}},
		{{terminal.Plain, "  "}, {terminal.Green, "+"}, {terminal.Plain, ` name = "<x>"`}},
		nil,
		{{terminal.Bold, "Plan:"}, {terminal.Plain, " 1 to add"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := got[1].Text(); text != `  + name = "<x>"` {
		t.Error(text)
	}
}

func TestSVGIsXML(t *testing.T) {
	decoder := xml.NewDecoder(strings.NewReader(string(terminal.SVG(terminal.ANSI("a <b> & \"c\"\n\n\x1b[32m+\x1b[0m \x00"), 80))))
	var text strings.Builder
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if data, ok := token.(xml.CharData); ok {
			text.Write(data)
		}
	}
	if !strings.Contains(text.String(), `a <b> & "c"`) {
		t.Error(text.String())
	}
}
