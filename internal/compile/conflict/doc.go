// Package conflict finds what an egress traffic policy would meet in the
// cluster: objects that take its calls away, hide its own, or are hidden by
// them. Which of two objects Istio uses depends on kind, namespace, visibility
// and age; each file is about one kind and opens with the rule and its source.
//
// It is pure. It sees the live objects as the caller has listed them, so what
// it says is as old as the list: a look-up in a plan warns with it, and a
// write has to look again.
//
// A conflict with an object of another policy is movable: that policy may give
// it up in the same apply. One with an object of somebody else is not.
package conflict
