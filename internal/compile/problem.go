package compile

import (
	"fmt"
	"regexp"
	"strings"
)

// Problem is one thing that is wrong with an intent.
type Problem struct {
	// Path leads to the attribute: a string is an attribute name or a map key,
	// an int an index of a list.
	Path []any
	// Summary names the problem in a few words, Detail says what to do.
	Summary string
	Detail  string
	// Warning is a problem that does not stop the plan.
	Warning bool
	// Topic is the section of a guide that says more, `<guide>#<anchor>`; empty
	// if there is none.
	Topic string
}

// MisspelledTopic is about names that Terraform drops without a word.
const MisspelledTopic = "troubleshooting#a-misspelled-name"

var attributeName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_-]*$`)

// PathText writes the path of a problem as expressions have it, such as
// egress_rules[0].to[1].hosts.
func PathText(path []any) string {
	var out strings.Builder
	for i, step := range path {
		name, isName := step.(string)
		switch {
		case isName && attributeName.MatchString(name):
			if i > 0 {
				out.WriteByte('.')
			}
			out.WriteString(name)
		case isName:
			fmt.Fprintf(&out, "[%q]", name)
		default:
			fmt.Fprintf(&out, "[%v]", step)
		}
	}
	return out.String()
}
