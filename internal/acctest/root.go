package acctest

import (
	"path/filepath"
	"runtime"
)

// Root returns the top folder of the checkout that this test was compiled from.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}
