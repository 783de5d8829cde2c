// Package leaks fails a package of tests that leaves goroutines behind.
package leaks

import (
	"fmt"
	"os"

	"go.uber.org/goleak"
)

// Check runs the tests of a package by run, and ends what they share by
// end. It returns the exit code: that of the tests, or 1 if goroutines that they
// have started are still there when all is over.
func Check(run func() int, end func()) int {
	before := goleak.IgnoreCurrent()
	code := run()
	end()
	if code != 0 {
		return code
	}
	err := goleak.Find(before,
		// The process's own connections to a server that has ended: kept for the
		// next request, closed when the transport finds out.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		// A provider that is served within the test: go-plugin goes on listening to the
		// output of a server that a CLI has left without a word (its grpc_stdio.go).
		goleak.IgnoreAnyFunction("github.com/hashicorp/go-plugin.copyChan"),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left:", err)
		return 1
	}
	return 0
}
