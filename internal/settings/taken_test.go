package settings_test

import (
	"errors"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// The ports of a gateway's pods are looked up once, of other pods again, and
// again after a look that failed.
func TestTakenPorts(t *testing.T) {
	p := &settings.Provider{}
	looks := 0
	var fails error
	ask := func(gateway compile.Reference) (map[int64]string, error) {
		return p.TakenPorts(gateway, func() (map[int64]string, error) {
			looks++
			return map[int64]string{int64(looks): "somebody"}, fails
		})
	}
	one := compile.Reference{Name: "a", Namespace: "n"}
	fails = errors.New("no answer")
	if _, err := ask(one); err == nil {
		t.Error("the error is lost")
	}
	fails = nil
	for range 2 {
		if taken, err := ask(one); err != nil || taken[2] == "" {
			t.Errorf("%v, %v", taken, err)
		}
	}
	for i, other := range []compile.Reference{
		{Name: "b", Namespace: "n"}, {Name: "a", Namespace: "m"}, {Name: "a", Namespace: "n", Selector: map[string]string{"app": "a"}},
	} {
		if taken, err := ask(other); err != nil || taken[int64(3+i)] == "" {
			t.Errorf("%+v: %v, %v", other, taken, err)
		}
	}
}
