package provider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInCluster(t *testing.T) {
	mounted := t.TempDir()
	ca := newPair(t).certificate
	must(t, os.WriteFile(filepath.Join(mounted, "token"), []byte("token-of-the-pod"), 0o600))
	must(t, os.WriteFile(filepath.Join(mounted, "ca.crt"), []byte(ca), 0o600))
	pod := map[string]string{"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
	inPod := connection{Host: "https://10.96.0.1:443", Token: "token-of-the-pod", TokenFile: filepath.Join(mounted, "token")}
	file := write(t, "config", kubeconfig)

	cases := map[string]struct {
		config  Config
		env     map[string]string
		mounted string
		want    *connection
	}{
		"a pod":            {env: pod, mounted: mounted, want: &inPod},
		"IPv6":             {env: map[string]string{"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}, mounted: mounted, want: &connection{Host: "https://[fd00::1]:443", Token: inPod.Token, TokenFile: inPod.TokenFile}},
		"no token mounted": {env: pod, mounted: t.TempDir()},
		"not in a pod":     {mounted: mounted},
		"a host goes first": {
			config: Config{Host: ptr("https://h.example")}, env: pod, mounted: mounted,
			want: &connection{Host: "https://h.example"},
		},
		"a file goes first": {
			config: Config{ConfigPath: &file}, env: pod, mounted: mounted,
			want: &connection{Host: "https://east.example:6443", Token: "token-of-ann", Insecure: true},
		},
		"a token goes over the pod's": {
			config: Config{Token: ptr("t")}, env: pod, mounted: mounted,
			want: &connection{Host: inPod.Host, Token: "t"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			env := in(c.env)
			env.ServiceAccount = c.mounted
			got, diags := c.config.Connection(env)
			if len(diags) > 0 {
				t.Fatal(summaries(diags))
			}
			if diff := cmp.Diff(c.want, summarize(t, got)); diff != "" {
				t.Error(diff)
			}
			if c.want != nil && c.want.Host == inPod.Host && got.CAFile != filepath.Join(mounted, "ca.crt") {
				t.Errorf("CA file %q", got.CAFile)
			}
		})
	}
}
