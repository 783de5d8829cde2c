package cluster

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// BenchmarkCompare is what a no-op plan spends on one object.
func BenchmarkCompare(b *testing.B) {
	for _, text := range everyKind {
		object := objectOf(b, 0, strings.ReplaceAll(text, "$ns", "lab"))
		live := object.Body.DeepCopy()
		live.SetUID(types.UID("5e4fbb2c-26d1-4c4e-9f0e-111111111111"))
		b.Run(object.Body.GetKind(), func(b *testing.B) {
			for b.Loop() {
				compare(object, live)
			}
		})
	}
}
