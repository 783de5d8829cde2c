package faults

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"k8s.io/client-go/util/cert"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

func jsonOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestSecrets plants a token, a private key and the environment of an exec
// plugin, and looks for them in all that a run leaves behind: state, saved
// plan, plan JSON, TF_LOG=TRACE, diagnostics, and the crash output of a provider
// that is made to dump its goroutines.
func TestSecrets(t *testing.T) {
	f := acctest.New(t)
	w := newWorld(t, f, 200)
	token := f.Credentials().Token
	clientCert, key, err := cert.GenerateSelfSignedCertKey("client", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	const fromEnv = "hunter2-of-the-plugin"
	secrets := map[string]string{
		"token": token, "signature of the token": token[strings.LastIndex(token, ".")+1:],
		"key": strings.Split(string(key), "\n")[2], "key in base64": base64.StdEncoding.EncodeToString(key)[40:120],
		"plugin's environment": fromEnv,
	}
	answer := fmt.Sprintf(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":%q}}`, token)

	// A plan holds the values of variables, unless they are ephemeral; what it
	// holds of the configuration is core's business.
	space := f.Workspace(f.CLI, fmt.Sprintf(`terraform {
  required_providers {
    istio = { source = %q }
  }
}
variable "secret" {
  type      = string
  sensitive = true
  ephemeral = true
}
variable "password" {
  type      = string
  sensitive = true
  ephemeral = true
}
provider "istio" {
  host                   = %q
  cluster_ca_certificate = %q
  exec {
    api_version = "client.authentication.k8s.io/v1"
    command     = "sh"
    args        = ["-c", "echo \"$ANSWER\""]
    env         = { ANSWER = var.secret, PASSWORD = var.password }
  }
}
`, acctest.ProviderSource, w.proxy.Host, string(w.proxy.CAData)))
	space.Env = append(space.Env, "TF_VAR_secret="+answer, "TF_VAR_password="+fromEnv, "TF_LOG=TRACE", "TF_LOG_PATH="+filepath.Join(space.Dir, "trace.log"))
	writeConfig(space, policy.before(w, "s1"))
	var said strings.Builder
	run := func(code int, args ...string) string {
		t.Helper()
		output := space.Expect(code, args).Output
		said.WriteString(output)
		return output
	}
	run(acctest.HasChanges, "plan", "-no-color", "-detailed-exitcode", "-out=saved")
	planned := run(0, "show", "-json", "saved")
	run(0, "apply", "-no-color", "saved")

	// Errors of the server and of the connection, at a write and at a read.
	writeConfig(space, policy.after(w, "s1"))
	w.proxy.Arm(proxy.Rule{When: proxy.Writes, Skip: 2, Fault: status(422, "Invalid", "no")})
	run(acctest.Failed, acctest.Apply...)
	w.proxy.Arm(proxy.Rule{When: proxy.All, Fault: status(401, "Unauthorized", "Unauthorized")})
	refused := run(acctest.Failed, acctest.Plan...)

	// A crash.
	pid := make(chan int, 1)
	w.proxy.Arm(proxy.Rule{When: proxy.Writes, Times: 1, Fault: proxy.Instead("crash", func(proxy.Request) {
		for _, provider := range descendants(<-pid, "terraform-provi") {
			_ = syscall.Kill(provider, syscall.SIGQUIT)
		}
	}, proxy.Reset)})
	process, err := space.Start(t.Context(), acctest.Apply...)
	if err != nil {
		t.Fatal(err)
	}
	pid <- process.Pid()
	crashed := space.Finish(process, acctest.Failed, acctest.Apply)
	said.WriteString(crashed.Output)
	w.proxy.Arm()
	run(0, acctest.Apply...)

	// The same with a token and with a key that the cluster does not know, from the environment.
	for _, env := range [][]string{
		{"KUBE_TOKEN=" + token + "x"},
		{"KUBE_CLIENT_CERT_DATA=" + string(clientCert), "KUBE_CLIENT_KEY_DATA=" + string(key)},
	} {
		other := f.Workspace(f.CLI, f.Config("", acctest.WithAttribute("token", ""),
			acctest.WithAttribute("host", strconv.Quote(w.proxy.Host)), acctest.WithAttribute("cluster_ca_certificate", strconv.Quote(string(w.proxy.CAData)))))
		other.Env = append(slices.Clone(other.Env), append(env, "TF_LOG=TRACE", "TF_LOG_PATH="+filepath.Join(other.Dir, "trace.log"))...)
		writeConfig(other, policy.before(w, "s2"))
		said.WriteString(other.Expect(acctest.Failed, acctest.Apply).Output)
		search(t, other.Dir, secrets)
	}
	run(0, acctest.Destroy...)
	search(t, space.Dir, secrets)
	for name, secret := range secrets {
		if strings.Contains(said.String(), secret) {
			t.Errorf("%s is in what was said", name)
		}
	}
	// What is no secret is found: these are the places to look at.
	for place, holds := range map[string][2]string{
		"the state":             {readAll(t, filepath.Join(space.Dir, "terraform.tfstate.backup")), ".s1.example.com"},
		"plan JSON":             {planned, ".s1.example.com"},
		"the trace":             {readAll(t, filepath.Join(space.Dir, "trace.log")), "provider.terraform-provider-istio"},
		"a diagnostic":          {refused, "Unauthorized"},
		"the output of a crash": {readAll(t, filepath.Join(space.Dir, "trace.log")) + crashed.Output, "goroutine "},
	} {
		if !strings.Contains(holds[0], holds[1]) {
			t.Errorf("%s was not looked at: there is no %q", place, holds[1])
		}
	}
}

// search looks for secrets in every file of a workspace, but those that the test
// itself wrote them into.
func search(t *testing.T, dir string, secrets map[string]string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text := readAll(t, path)
		for name, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", name, filepath.Base(path))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
