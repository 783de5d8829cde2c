// Package cluster talks to the API server: it owns, applies, compares, waits
// for and deletes sets of objects. It knows objects, not egress.
package cluster
