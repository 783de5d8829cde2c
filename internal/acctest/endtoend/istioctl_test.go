package endtoend_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// allowedMessage is what istioctl may say of what is applied: that a ServiceEntry has a
// TCP port and no addresses. The gateway's need none, it routes to them by name.
const allowedMessage = "IST0134"

// istioctlFindsNothing validates the live Istio objects of the provider and analyzes the
// namespaces of the test.
func istioctlFindsNothing(t *testing.T, f *acctest.Fixture) {
	t.Helper()
	istioctl, err := testbed.Istioctl(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var objects [][]byte
	for _, object := range f.Managed() {
		if !strings.Contains(object.GetAPIVersion(), ".istio.io/") {
			continue
		}
		object.SetManagedFields(nil)
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, text)
	}
	if len(objects) == 0 {
		t.Error("no Istio object lives")
		return
	}
	path := filepath.Join(t.TempDir(), "live.yaml")
	if err := os.WriteFile(path, bytes.Join(objects, []byte("---\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), istioctl, "validate", "-f", path).CombinedOutput()
	// A warning does not fail validate.
	if err != nil || bytes.Contains(bytes.ToLower(out), []byte("warning")) && !bytes.Contains(out, []byte("addresses are required")) {
		t.Errorf("istioctl validate: %v\n%s", err, out)
	}
	for _, namespace := range f.Namespaces() {
		for _, message := range analyze(t, istioctl, f.ControlPlane().Kubeconfig, namespace) {
			if message.Code != allowedMessage {
				t.Errorf("istioctl analyze: %s %s: %s: %s", message.Code, message.Level, message.Origin, message.Message)
			}
		}
	}
}

type analysis struct{ Code, Level, Message, Origin string }

func analyze(t *testing.T, istioctl, kubeconfig, namespace string) []analysis {
	t.Helper()
	var stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), istioctl, "analyze", "--kubeconfig", kubeconfig, "--namespace", namespace, "--output", "json")
	command.Stderr = &stderr
	// The exit code is that of the messages, which the caller looks at.
	out, _ := command.Output()
	var messages []analysis
	if err := json.Unmarshal(out, &messages); err != nil {
		t.Fatalf("istioctl analyze --namespace %s: %v\n%s%s", namespace, err, out, &stderr)
	}
	return messages
}
