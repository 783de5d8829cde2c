// Package figures puts what a command has measured into a page of the docs.
package figures

import (
	"fmt"
	"os"
	"strings"
)

// end closes the figures of every command.
const end = "<!-- end of figures -->"

// Write replaces the figures of a command, as `make` knows it, in a page that
// has a place for them: between the line that names the command and the next end.
func Write(path, command, figures string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin := fmt.Sprintf("<!-- figures: %s -->", command)
	before, rest, begins := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s: the figures belong between %q and %q", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+figures+"\n"+end+after), 0o644)
}
