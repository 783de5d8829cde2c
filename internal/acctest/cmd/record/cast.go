package main

import (
	"bytes"
	"encoding/json"
	"time"
)

const (
	columns, rows = 120, 40
	// longest is the longest pause of a recording.
	longest = 2 * time.Second
)

// asciicast returns the lines in version 2 of the format of asciinema
// (https://docs.asciinema.org/manual/asciicast/v2/).
func asciicast(lines []line) ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(map[string]any{"version": 2, "width": columns, "height": rows}); err != nil {
		return nil, err
	}
	var at, before time.Duration
	for _, l := range lines {
		at += min(l.at-before, longest)
		before = l.at
		if err := out.Encode([]any{at.Round(time.Millisecond).Seconds(), "o", l.text + "\r\n"}); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
