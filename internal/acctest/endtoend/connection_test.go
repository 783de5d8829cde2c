package endtoend_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// providerWith is a configuration with exactly this body of the provider block.
func providerWith(f *acctest.Fixture, body, hcl string) string {
	none := func(name string) acctest.Option { return acctest.WithAttribute(name, "") }
	empty := f.Config(hcl, none("host"), none("token"), none("cluster_ca_certificate"))
	return strings.Replace(empty, "provider \"istio\" {\n", "provider \"istio\" {\n"+body+"\n", 1)
}

// Every way to name the cluster leads to it; a wrong one fails with the
// attribute or variable and its value, never with a secret.
func TestConnections(t *testing.T) {
	f := acctest.New(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	// A refresh goes by the timeouts in the state.
	hcl := with(policies("one", egress, shop, 1), `timeouts = { read = "3s" }`)
	at := f.Credentials()
	w := f.Workspace(f.CLI, f.Config(hcl))
	w.Expect(0, acctest.Apply)
	own := w.Env

	plugin := func(token string) string {
		answer := fmt.Sprintf(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}`, token)
		return fmt.Sprintf("host = %q\ncluster_ca_certificate = %q\nexec {\napi_version = \"client.authentication.k8s.io/v1\"\n"+
			"command = \"sh\"\nargs = [\"-c\", \"echo \\\"$ANSWER\\\"\"]\nenv = { ANSWER = %q }\n}", at.Host, at.CA, answer)
	}
	cases := map[string]struct {
		body string
		env  []string
		// wanted is in the error; none means that there is no error.
		wanted []string
	}{
		"kubeconfig":           {body: fmt.Sprintf("config_path = %q", at.Kubeconfig)},
		"KUBE_CONFIG_PATH":     {env: []string{"KUBE_CONFIG_PATH=" + at.Kubeconfig}},
		"KUBE_HOST, KUBE_...":  {env: []string{"KUBE_HOST=" + at.Host, "KUBE_TOKEN=" + at.Token, "KUBE_CLUSTER_CA_CERT_DATA=" + at.CA}},
		"exec":                 {body: plugin(at.Token)},
		"KUBECONFIG alone":     {env: []string{"KUBECONFIG=" + at.Kubeconfig}, wanted: []string{"config_path", "KUBE_HOST"}},
		"missing file":         {body: `config_path = "/nonexistent/config"`, wanted: []string{"config_path", "/nonexistent/config"}},
		"nobody listens":       {body: fmt.Sprintf("host = %q\ntoken = %q", "https://127.0.0.1:1", at.Token), wanted: []string{"`host`", "127.0.0.1:1"}},
		"nobody, from env":     {env: []string{"KUBE_HOST=https://127.0.0.1:1"}, wanted: []string{"KUBE_HOST", "127.0.0.1:1"}},
		"no such name":         {body: `host = "https://api.invalid:6443"`, wanted: []string{"`host`", "api.invalid"}},
		"refused token":        {body: fmt.Sprintf("host = %q\ntoken = \"hunter2\"\ncluster_ca_certificate = %q", at.Host, at.CA), wanted: []string{"`host`", at.Host, "401"}},
		"refused plugin":       {body: plugin("hunter2"), wanted: []string{"`host`", at.Host, "401"}},
		"unknown certificates": {body: fmt.Sprintf("host = %q\ntoken = \"hunter2\"", at.Host), wanted: []string{"`host`", at.Host, "certificate"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w.Write("main.tf", providerWith(f, c.body, hcl))
			w.Env = append(slices.Clone(own), c.env...)
			if len(c.wanted) == 0 {
				w.Expect(0, append(acctest.Apply, "-refresh-only"))
				return
			}
			result := w.Expect(acctest.Failed, append(acctest.Plan, "-refresh-only"), c.wanted...)
			if strings.Contains(result.Output, "hunter2") || strings.Contains(result.Output, at.Token) {
				t.Errorf("shows a secret:\n%s", result.Output)
			}
		})
	}

	w.Env = own
	w.Write("main.tf", f.Config(hcl))
	w.Expect(0, acctest.Destroy)
}

// A cluster whose address is made in the same configuration: the plan works
// without it, and apply finds it.
func TestUnknownHost(t *testing.T) {
	f := acctest.New(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	cluster := fmt.Sprintf("resource \"terraform_data\" \"cluster\" {\n  input = %q\n}\n", f.Credentials().Host)
	w := f.Workspace(f.CLI, f.Config(cluster+policies("late", egress, shop, 1), acctest.WithAttribute("host", "terraform_data.cluster.output")))
	w.Expect(acctest.HasChanges, acctest.Plan, "2 to add")
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
}

// A trust domain that is not the mesh's would make a gateway that refuses
// everybody: the plan names both.
func TestTrustDomain(t *testing.T) {
	f := acctest.New(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	w := f.Workspace(f.CLI, f.Config(policies("td", egress, shop, 1), acctest.WithAttribute("trust_domain", `"other.example"`)))
	w.Expect(acctest.Failed, acctest.Plan, "other.example", "cluster.local", "trust_domain")
}
