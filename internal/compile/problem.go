package compile

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
}
