package main

import "github.com/meshegress/terraform-provider-istio/internal/acctest/terminal"

var styles = map[kind]terminal.Style{
	comment: terminal.Bold, prompt: terminal.Blue, good: terminal.Green, bad: terminal.Red, plain: terminal.Plain,
}

// picture draws a digest as a terminal.
func picture(digest []row) []byte {
	rows := make([]terminal.Row, len(digest))
	for i, r := range digest {
		if r.kind != space {
			rows[i] = terminal.Row{{Style: styles[r.kind], Text: r.text}}
		}
	}
	return terminal.SVG(rows, columns)
}
