package cluster

import (
	"errors"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// TestDeleted: only the server's own answer about the very object means that it
// is gone.
func TestDeleted(t *testing.T) {
	id := manifest.ID{GVK: gatewayKind, Namespace: "ns", Name: "a"}
	const head = `{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":`
	for name, test := range map[string]struct {
		answer string
		stays  bool
		fails  bool
	}{
		"a Status":             {answer: `{"kind":"Status","apiVersion":"v1","status":"Success"}`},
		"the object":           {answer: head + `"a"}}`},
		"the object, for now":  {answer: head + `"a","deletionTimestamp":"2026-01-01T00:00:00Z"}}`, stays: true},
		"a Status of failure":  {answer: `{"kind":"Status","apiVersion":"v1","status":"Failure"}`, fails: true},
		"a Status of nothing":  {answer: `{"kind":"Status","apiVersion":"v1"}`, fails: true},
		"another object":       {answer: head + `"b"}}`, fails: true},
		"an object of another": {answer: `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`, fails: true},
		"HTML":                 {answer: `<html>`, fails: true},
		"nothing":              {answer: ``, fails: true},
	} {
		left, err := deleted([]byte(test.answer), id)
		if (left != nil) != test.stays || errors.Is(err, errBadBody) != test.fails || (err != nil) != test.fails {
			t.Errorf("%s: %v %v", name, left, err)
		}
	}
}
