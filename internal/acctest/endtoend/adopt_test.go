package endtoend_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/adopt/command"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// TestAdoptedConfigurationsPlan plans what adopt writes of each of its test
// cases, without a cluster. They are modules of one configuration, each with a
// provider of its own: they share hosts.
func TestAdoptedConfigurationsPlan(t *testing.T) {
	f := acctest.New(t)
	outputs, err := filepath.Glob(filepath.Join(acctest.Root(), "internal", "adopt", "command", "testdata", "*.out.tf"))
	if err != nil || len(outputs) == 0 {
		t.Fatalf("no configurations: %v", err)
	}
	root := offline
	w := f.Workspace(f.CLI, offline)
	for _, output := range outputs {
		text, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) == 0 {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(output), ".out.tf")
		folder := filepath.Join(w.Dir, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		w.Write(filepath.Join(name, "main.tf"), string(text))
		w.Write(filepath.Join(name, "versions.tf"), offline)
		root += fmt.Sprintf("provider \"istio\" {\n  alias = %[1]q\n}\nmodule %[1]q {\n  source    = \"./%[1]s\"\n  providers = { istio = istio.%[1]s }\n}\n", name)
	}
	w.Write("main.tf", root)
	w.Expect(0, []string{"get"})
	w.Expect(0, []string{"fmt", "-check", "-recursive", "-diff"})
	w.Expect(acctest.HasChanges, acctest.Plan)
}

// adopted runs adopt against the control plane and returns what it writes. It
// fails the test if adopt sends anything but LISTs.
func adopted(t *testing.T, f *acctest.Fixture, wantCode int, arguments ...string) (configuration, report string) {
	t.Helper()
	mark := f.Mark()
	var stdout, stderr bytes.Buffer
	code := command.Run(t.Context(), append(arguments, "--kubeconfig", f.ControlPlane().Kubeconfig), nil, &stdout, &stderr)
	if code != wantCode {
		t.Fatalf("adopt: exit code %d, want %d\n%s", code, wantCode, stderr.String())
	}
	requests, err := f.ControlPlane().Requests(mark)
	if err != nil {
		t.Fatal(err)
	}
	own := requests.Where(func(r testbed.Request) bool { return strings.HasPrefix(r.UserAgent, compile.ProviderName+"/adopt") })
	if len(own) == 0 {
		t.Error("adopt has asked for nothing")
	}
	for _, r := range own {
		if r.Verb != "list" {
			t.Errorf("adopt: %s %s", r.Verb, r.URI)
		}
	}
	return stdout.String(), stderr.String()
}

// sameText fails the test if a text is not the published one.
func sameText(t *testing.T, what, published, got string) {
	t.Helper()
	if diff := cmp.Diff(published, got); diff != "" {
		t.Errorf("%s is not what is published (-published +got):\n%s", what, diff)
	}
}
