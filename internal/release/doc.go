// Package release knows what a release of this provider consists of, and its tests
// hold the repository to it: names, contents and checksums as the registries
// document them, what the executable may be linked with and under which licences,
// and the fragments of the changelog.
//
// It reads .goreleaser.yml, which has the facts, and can build the archive of one
// platform from it without goreleaser (command archive), for whoever wants to try
// an archive without building goreleaser first.
package release
