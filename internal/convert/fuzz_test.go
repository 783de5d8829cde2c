package convert_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// What is converted is accepted by our resource, and what is not has a reason;
// a text is always converted to the same.

func FuzzASMEgressTrafficPolicy(f *testing.F) { fuzz(f, "asm-") }

func FuzzSMMMeshGateway(f *testing.F) { fuzz(f, "smm-") }

func fuzz(f *testing.F, prefix string) {
	paths, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if strings.HasPrefix(filepath.Base(path), prefix) {
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		converted, err := convertAny(prefix, text)
		again, errAgain := convertAny(prefix, text)
		if !reflect.DeepEqual(converted, again) || !reflect.DeepEqual(err, errAgain) && err.Error() != errAgain.Error() {
			t.Errorf("%v, %v the first time, %v, %v the second", converted, err, again, errAgain)
		}
		if err == nil {
			valid(t, converted)
			return
		}
		var problems fields.Problems
		if !errors.As(err, &problems) || len(problems) == 0 || strings.TrimSpace(err.Error()) == "" {
			t.Errorf("error without problems: %#v", err)
		}
	})
}
