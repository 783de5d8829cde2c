// Package cluster talks to the API server: it owns, applies, compares, waits
// for and deletes sets of objects. It knows objects, not egress.
//
// Whose is it. Every owned object names its owner, with a random nonce, in an
// annotation, and is applied under a field manager of that nonce. An object is
// made by a server-side apply that can only create (neverVersion): where the
// name is taken the server answers 409 and nothing is merged. Everything later
// is sent to the uid that was looked at.
//
// What is there. Reads of one walk share one LIST per kind until the process
// first writes. After that the LISTs are hints: a write is decided by the
// server's own check, never by them.
//
// What has changed. compare measures the live object by the desired one. Istio
// kinds are compared whole, built-in kinds by the fields that we set and the
// additions that count.
//
// What goes wrong. One classifier decides what is tried again; Explain turns
// what is left into a diagnostic.
//
// Files: request.go and retry.go are the only ones that send; create.go,
// update.go, delete.go, shared.go and reserve.go write; observe.go, lists.go
// and preflight.go look; drift*.go and managers.go compare; wait.go and
// pods.go wait.
package cluster
