// Package listing answers list blocks of `terraform query`: it finds what
// carries the record of an instance, and streams results in order, up to the
// limit. What is listed is what can be imported.
package listing
