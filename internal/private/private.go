// Package private keeps a record of each instance in its private state: what
// no attribute says, and nobody but the provider needs to know.
package private

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// key is where the record stands. States have it: it never changes.
const key = "owner"

// Reader is the private state of a request.
type Reader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

// Writer is the private state of a response.
type Writer interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// Read decodes the record of an instance, whose name diagnostics say, into
// what record points to. That stays as it is where there is none: after an
// import, and for an instance that core destroys as tainted, since core hands
// over the private state that was planned for its successor.
func Read(ctx context.Context, from Reader, name string, record any) diag.Diagnostics {
	text, diags := from.GetKey(ctx, key)
	if diags.HasError() || len(text) == 0 {
		return diags
	}
	if err := json.Unmarshal(text, record); err != nil {
		diags.AddError("Private state is damaged", fmt.Sprintf("The record of who owns the objects of %s cannot be read: %s. "+
			"Remove the resource from state and import it again.", name, err))
	}
	return diags
}

// Write puts down the record of an instance. It is plain data: it always has a
// form in JSON.
func Write(ctx context.Context, to Writer, record any) diag.Diagnostics {
	text, err := json.Marshal(record)
	if err != nil {
		panic(err)
	}
	return to.SetKey(ctx, key, text)
}
