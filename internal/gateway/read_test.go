package gateway

import "testing"

// TestReadWithoutIdentity: the framework wants an identity of every Read, also of one
// that has nothing to compare with.
func TestReadWithoutIdentity(t *testing.T) {
	s := newServer(t, false)
	resp := s.ReadWithoutIdentity(stateOf(t, everything(t)).Raw)
	for _, d := range resp.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
	if resp.NewIdentity == nil {
		t.Error("the answer has no identity")
	}
}
