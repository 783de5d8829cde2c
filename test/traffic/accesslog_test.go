package traffic_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/meshegress/terraform-provider-istio/test/traffic/lab"
)

// logCalls lets the sidecars of a namespace write a line for each call: as in most
// meshes they write none by themselves.
func (c *cast) logCalls(namespace string) {
	c.t.Helper()
	c.Apply(namespace, `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: access-log}
spec: {accessLogging: [{providers: [{name: envoy}]}]}
`)
}

// expectFlag waits for the line of an HTTP call in the log of the caller's sidecar: with
// the status that it has answered, and Envoy's flag of why.
func (c *cast) expectFlag(from lab.Pod, answer lab.Answer, flag string) {
	c.t.Helper()
	c.Eventually("a line in the log of "+from.String(), func(context.Context) error {
		for line := range strings.Lines(c.Log(from)) {
			if !strings.Contains(line, answer.ID) {
				continue
			}
			if want := fmt.Sprintf(` %d %s `, answer.Status, flag); !strings.Contains(line, want) {
				return fmt.Errorf("it has no%s: %s", want, line)
			}
			c.t.Logf("log of the caller's sidecar: %s", strings.TrimSpace(line))
			return nil
		}
		return fmt.Errorf("none of %s", answer.ID)
	})
}

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

// began returns the time at the beginning of a line of an access log.
func began(line string) (time.Time, bool) {
	text, _, ok := strings.Cut(strings.TrimPrefix(line, "["), "] ")
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, ok && err == nil
}
