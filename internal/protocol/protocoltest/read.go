package protocoltest

import (
	"context"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// ReadWithoutIdentity reads a resource as a CLI does that knows no identities:
// Terraform before 1.12, or a state that such a one has written.
func (s Server) ReadWithoutIdentity(state tftypes.Value) *tfprotov6.ReadResourceResponse {
	s.Helper()
	resp, err := s.wire.ReadResource(context.Background(), &tfprotov6.ReadResourceRequest{
		TypeName: s.name, CurrentState: s.encode(state),
	})
	if err != nil {
		s.Fatal(err)
	}
	return resp
}
