package private_test

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/meshegress/terraform-provider-istio/internal/private"
)

type memory map[string][]byte

func (m memory) GetKey(_ context.Context, key string) ([]byte, diag.Diagnostics) { return m[key], nil }

func (m memory) SetKey(_ context.Context, key string, value []byte) diag.Diagnostics {
	m[key] = value
	return nil
}

func TestRecord(t *testing.T) {
	state := memory{}
	nonce := "none"
	if diags := private.Read(t.Context(), state, "x", &nonce); diags.HasError() || nonce != "none" {
		t.Errorf("without a record: %q, %v", nonce, diags)
	}
	if diags := private.Write(t.Context(), state, "n-1"); diags.HasError() {
		t.Error(diags)
	}
	// States of released versions have it under this key.
	if text := string(state["owner"]); text != `"n-1"` {
		t.Errorf("the record is %s", text)
	}
	if diags := private.Read(t.Context(), state, "x", &nonce); diags.HasError() || nonce != "n-1" {
		t.Errorf("with a record: %q, %v", nonce, diags)
	}
	state["owner"] = []byte("{")
	if diags := private.Read(t.Context(), state, "x", &nonce); !diags.HasError() {
		t.Error("a damaged record is taken")
	}
}
