package endtoend_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

// The namespaces of examples/hcp-terraform.
const (
	remoteGateways = "orders-egress"
	remoteSource   = "orders"
)

const (
	// nobody is a user without a home.
	nobody = 65534
	// capDACReadSearch is CAP_DAC_READ_SEARCH of linux/capability.h: to read what one
	// has no permission for.
	capDACReadSearch = 2
)

// TestRemoteRun runs examples/hcp-terraform as an agent does: as a user without a
// home, in a directory that cannot be written, with what environment variables say
// and nothing else, and with tokens of an issuer that the cluster trusts, one for
// the plan and one for the apply.
func TestRemoteRun(t *testing.T) {
	f := acctest.New(t)
	f.FixedNamespace(remoteGateways)
	f.FixedNamespace(remoteSource)
	const prefix, run = "https://app.terraform.io#", "organization:acme:project:orders:workspace:orders-egress:run_phase:"
	terraform := newIssuer(t)
	terraform.trusted(f, "kubernetes", prefix)
	planning, applying := terraform.token(run+"plan", "kubernetes"), terraform.token(run+"apply", "kubernetes")

	examples := reachable(t)
	if err := os.CopyFS(examples, os.DirFS(filepath.Join(acctest.Root(), "examples"))); err != nil {
		t.Fatal(err)
	}
	bootstrap := f.WorkspaceAt(f.CLI, filepath.Join(examples, "hcp-terraform", "bootstrap"))
	bootstrap.Expect(0, []string{"get"})
	bootstrap.Expect(0, acctest.Apply)
	f.Apply("", bootstrap.Expect(0, []string{"output", "-raw", "rbac"}).Stdout)
	may(t, f, prefix+run+"plan", remoteSource, "serviceentries", false)
	may(t, f, prefix+run+"apply", remoteSource, "serviceentries", true)

	at := f.Credentials()
	for example, c := range map[string]struct{ cluster, token []string }{
		"dynamic-credentials": {
			cluster: []string{"TF_VAR_cluster_host=" + at.Host, "TF_VAR_cluster_ca=" + base64.StdEncoding.EncodeToString([]byte(at.CA))},
			token:   []string{"KUBE_TOKEN="},
		},
		"exec-plugin": {
			cluster: []string{"KUBE_HOST=" + at.Host, "KUBE_CLUSTER_CA_CERT_DATA=" + at.CA},
			token:   []string{"TFC_WORKLOAD_IDENTITY_TOKEN="},
		},
	} {
		t.Run(example, func(t *testing.T) {
			agent := newAgent(t, f, filepath.Join(examples, "hcp-terraform", example), c.cluster)
			phase := func(token string) *acctest.Workspace {
				agent.w.Env = append(slices.Clone(agent.env), c.token[0]+token)
				return agent.w
			}
			plan := filepath.Join(agent.dir, "plan")
			phase(planning).Expect(acctest.HasChanges, append(acctest.Plan, "-out="+plan), "2 to add")
			phase(applying).Expect(0, []string{"apply", "-no-color", plan})
			phase(planning).Expect(acctest.NoChanges, acctest.Plan)
			phase(planning).Expect(acctest.HasChanges, append(acctest.Plan, "-destroy", "-out="+plan))
			if example == "exec-plugin" {
				phase(planning).Expect(acctest.Failed, []string{"apply", "-no-color", plan}, "forbidden", remoteGateways)
				phase(planning).Expect(acctest.HasChanges, append(acctest.Plan, "-destroy", "-out="+plan))
			}
			phase(applying).Expect(0, []string{"apply", "-no-color", plan})
			nothingLeft(t, f)
			agent.keptNoSecret(t, planning, applying)
		})
	}
}

// agent is where a remote run takes place.
type agent struct {
	w *acctest.Workspace
	// dir is what a run may write: state, plan, TF_DATA_DIR and TMPDIR. The
	// configuration is elsewhere.
	dir string
	env []string
}

// newAgent runs `init` while the configuration may be written, as HCP Terraform does,
// and takes that right away.
func newAgent(t *testing.T, f *acctest.Fixture, config string, cluster []string) *agent {
	t.Helper()
	w := f.InstalledWorkspaceAt(f.CLI, config)
	dir := reachable(t)
	// In place of the state in HCP Terraform.
	w.Write("backend_override.tf", fmt.Sprintf("terraform {\n  backend \"local\" {\n    path = %q\n  }\n}\n", filepath.Join(dir, "terraform.tfstate")))
	a := &agent{w: w, dir: dir, env: append([]string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "TF_DATA_DIR=" + filepath.Join(dir, "data"),
		"TF_CLI_CONFIG_FILE=" + filepath.Join(config, workspace.CLIConfig), "TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1",
	}, cluster...)}
	if os.Getuid() == 0 {
		a.becomeNobody(t, config)
	}
	w.Env = a.env
	w.Expect(0, []string{"init", "-no-color"})
	if err := os.Chmod(config, 0o555); err != nil {
		t.Fatal(err)
	}
	return a
}

// reachable makes a directory that any user may enter, which t.TempDir is not.
func reachable(t *testing.T) string {
	t.Helper()
	//nolint:usetesting // see above
	dir, err := os.MkdirTemp("", "remote-run-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// becomeNobody is how root starts what shall not be root: as nobody, who may read
// everything, since executables can be in root's home, and write what is his.
func (a *agent) becomeNobody(t *testing.T, config string) {
	t.Helper()
	attributes := syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody},
		AmbientCaps: []uintptr{capDACReadSearch},
	}
	try := exec.CommandContext(t.Context(), "true")
	try.SysProcAttr = &attributes
	if err := try.Run(); err != nil {
		t.Logf("runs as root, which cannot become nobody here: %v", err)
		return
	}
	// What may be read counts from the first exec on (capabilities(7)), so that one
	// is of something that everybody reaches.
	script := filepath.Join(reachable(t), "cli")
	if err := os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\nexec '%s' \"$@\"\n", a.w.Executable), 0o755); err != nil { //nolint:gosec // a script
		t.Fatal(err)
	}
	a.w.Executable, a.w.Attributes = script, attributes
	for _, path := range []string{a.dir, config} {
		if err := os.Chown(path, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
}

// keptNoSecret fails when a file that the runs have left holds a token.
func (a *agent) keptNoSecret(t *testing.T, tokens ...string) {
	t.Helper()
	err := filepath.WalkDir(a.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, token := range tokens {
			if strings.Contains(string(text), token) {
				t.Errorf("%s holds a token", path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
