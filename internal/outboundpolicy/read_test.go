package outboundpolicy

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/meshegress/terraform-provider-istio/internal/protocol/protocoltest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// TestReadWithoutIdentity: the framework wants an identity of every Read. While the
// provider block does not say the revision, what was written does.
func TestReadWithoutIdentity(t *testing.T) {
	s := server{protocoltest.New(t, New, func() *settings.Provider { return &settings.Provider{} })}
	resp := s.ReadWithoutIdentity(s.value(map[string]any{
		"mode": "REGISTRY_ONLY", "object": "ConfigMap/istio-system/istio-canary",
	}))
	for _, d := range resp.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
	if resp.NewIdentity == nil {
		t.Fatal("the answer has no identity")
	}
	text := map[string]tftypes.Type{"scope": tftypes.String, "namespace": tftypes.String, "name": tftypes.String}
	value, err := resp.NewIdentity.IdentityData.Unmarshal(tftypes.Object{AttributeTypes: text})
	if err != nil {
		t.Fatal(err)
	}
	var name string
	if err := s.Attributes(value)["name"].As(&name); err != nil || name != "canary" {
		t.Errorf("the revision is %q (%v)", name, err)
	}
}
