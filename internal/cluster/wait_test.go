package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// rollout makes a Deployment that waits for nothing but its pods.
func (l *lab) rollout(image, podExtra string) manifest.Object {
	return l.object(0, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: gw, namespace: $ns}
spec:
  replicas: 1
  selector: {matchLabels: {app: gw}}
  template:
    metadata: {labels: {app: gw, sidecar.istio.io/inject: "false"}}
    spec:
      containers: [{name: istio-proxy, image: "`+image+`"}]
`+podExtra)
}

func TestWaitReady(t *testing.T) {
	l := newLab(t)
	release := l.create(l.owner(), l.rollout("registry.example/proxy:1", ""))
	if err := l.client.WaitReady(l.ctx(), release.Objects[0].ID()); err != nil {
		t.Fatal(err)
	}
}

func TestWaitReadyNamesTheReason(t *testing.T) {
	for name, c := range map[string]struct {
		image, extra, quota string
		timeout             time.Duration
		want                []string
	}{
		"injection off": {image: "auto", want: []string{"did not inject container istio-proxy", "istio-injection=disabled"}},
		"quota": {
			image: "registry.example/proxy:1",
			quota: `{"metadata":{"name":"none"},"spec":{"hard":{"pods":"0"}}}`,
			want:  []string{"exceeded quota", "ResourceQuota"},
		},
		"no node": {
			image: "registry.example/proxy:1", extra: "      nodeSelector: {disktype: none-such}\n", timeout: 6 * time.Second,
			want: []string{"no node takes it", "node_selector"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			if c.quota != "" {
				if code, answer := l.raw("POST", "/api/v1/namespaces/"+l.namespace+"/resourcequotas", c.quota); code != 201 {
					t.Fatalf("%d %v", code, answer)
				}
			}
			release := l.create(l.owner(), l.rollout(c.image, c.extra))
			ctx := l.ctx()
			if c.timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.timeout)
				defer cancel()
			}
			err := l.client.WaitReady(ctx, release.Objects[0].ID())
			if !errors.As(err, new(*WaitError)) {
				t.Fatal(err)
			}
			summary, detail := Explain(err)
			for _, want := range append(c.want, release.Objects[0].ID().String()) {
				if !strings.Contains(summary+"\n"+detail, want) {
					t.Errorf("%q is not in: %s\n%s", want, summary, detail)
				}
			}
			if c.timeout == 0 && ctx.Err() != nil {
				t.Error("did not fail fast")
			}
		})
	}
}

func TestWaitReadyObeysCancel(t *testing.T) {
	l := newLab(t)
	release := l.create(l.owner(), l.rollout("registry.example/proxy:1", "      nodeSelector: {disktype: none-such}\n"))
	ctx, cancel := contextWithCancel(t)
	cancel()
	if err := l.client.WaitReady(ctx, release.Objects[0].ID()); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
