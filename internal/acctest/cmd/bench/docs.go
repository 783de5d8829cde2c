package main

import (
	"fmt"
	"os"
	"strings"
)

// The figures of a page stand between these lines.
const (
	figuresBegin = "<!-- figures: make bench-docs -->"
	figuresEnd   = "<!-- end of figures -->"
)

// writeDocs puts the figures into a page.
func writeDocs(path, figures string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), figuresBegin)
	_, after, ends := strings.Cut(rest, figuresEnd)
	if !begins || !ends {
		return fmt.Errorf("%s: the figures belong between %q and %q", path, figuresBegin, figuresEnd)
	}
	return os.WriteFile(path, []byte(before+figuresBegin+"\n"+figures+"\n"+figuresEnd+after), 0o644)
}
