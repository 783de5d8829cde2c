// Package fields reads an object that others have written, field by field, and
// complains of every one that nobody has asked for: what a reader does not know
// of is never dropped without a word.
//
//	o := fields.Root(&problems, node, "").Object()
//	name := o.Take("name").RequiredText()
//	o.Done() // each key that was not taken is a problem
package fields
