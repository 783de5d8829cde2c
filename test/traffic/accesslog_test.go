package traffic_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// expectLogLine waits for the line of the gateway's access log that has all the texts.
// Envoy writes once a second.
func (c *cast) expectLogLine(texts ...string) {
	c.t.Helper()
	c.Eventually("a line in the log of "+c.gateway.String(), func(context.Context) error {
		for line := range strings.Lines(c.Log(c.gateway)) {
			if containsAll(line, texts) {
				c.t.Logf("access log of the gateway: %s", strings.TrimSpace(line))
				return nil
			}
		}
		return fmt.Errorf("none contains %q", texts)
	})
}

func containsAll(line string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(line, text) {
			return false
		}
	}
	return true
}

// expectGranted makes a call that a policy grants: it is answered through the gateway,
// whose log has a line with the caller and the grant.
func (c *cast) expectGranted(call lab.Call, status int, overTLS bool, entry string) {
	c.t.Helper()
	want := lab.Through(status, c.gateway)
	want.TLS = overTLS
	answer := c.Expect(c.granted, call, want)
	texts := []string{c.granted.IP + ":", entry + "." + policyName + "." + c.shop + "."}
	if call.Protocol == "http" {
		texts = append(texts, answer.Echo.ID, fmt.Sprintf(" %d ", status))
	}
	c.expectLogLine(texts...)
}
