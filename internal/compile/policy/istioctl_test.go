package policy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// allowedMessage is what istioctl analyze may say of a golden: that a
// ServiceEntry has a TCP port and no addresses. The upstream ones need none,
// as the gateway routes to them by name; source-side ones of a host without
// addresses get them at run time, and Validate warns of them.
const allowedMessage = "IST0134"

// Istio's own validation and analysis of every golden. istioctl is built from
// Istio's source on first use, which takes minutes, so this goes with the
// acceptance tests.
func TestIstioctlFindsNothing(t *testing.T) {
	if os.Getenv("TF_ACC") != "1" {
		t.Skip("TF_ACC=1 runs istioctl validate and analyze over the golden files")
	}
	istioctl, err := testbed.Istioctl(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for path := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".out.yaml"), func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), istioctl, "validate", "-f", path).CombinedOutput()
			// A warning does not fail validate.
			if err != nil || bytes.Contains(bytes.ToLower(out), []byte("warning")) && !bytes.Contains(out, []byte("addresses are required")) {
				t.Errorf("istioctl validate: %v\n%s", err, out)
			}
			for _, message := range analyze(t, istioctl, path) {
				if message.Code != allowedMessage {
					t.Errorf("istioctl analyze: %s %s: %s: %s", message.Code, message.Level, message.Origin, message.Message)
				}
			}
		})
	}
}

// That analyze would say something: a golden without its Gateways.
func TestIstioctlFindsWhatIsMissing(t *testing.T) {
	if os.Getenv("TF_ACC") != "1" {
		t.Skip("TF_ACC=1 runs istioctl analyze")
	}
	istioctl, err := testbed.Istioctl(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/asm-policy-1-http.out.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "without-gateway.yaml")
	if err := os.WriteFile(path, bytes.ReplaceAll(text, []byte("egressgateway-a-10000"), []byte("egressgateway-a-10001")), 0o644); err != nil {
		t.Fatal(err)
	}
	if messages := analyze(t, istioctl, path); len(messages) > 0 {
		t.Errorf("renaming all of it is no problem: %v", messages)
	}
	broken := bytes.Replace(text, []byte("name: egressgateway-a-10000"), []byte("name: egressgateway-a-10001"), 1)
	if err := os.WriteFile(path, broken, 0o644); err != nil {
		t.Fatal(err)
	}
	messages := analyze(t, istioctl, path)
	if len(messages) == 0 || messages[0].Code != "IST0101" {
		t.Errorf("want IST0101, referenced resource not found, got %v", messages)
	}
}

type analysis struct {
	Code    string `json:"code"`
	Level   string `json:"level"`
	Message string `json:"message"`
	Origin  string `json:"origin"`
}

// analyze runs istioctl analyze on one file, without a cluster.
func analyze(t *testing.T, istioctl, path string) []analysis {
	t.Helper()
	var stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), istioctl, "analyze", "--use-kube=false", "--all-namespaces", "--output", "json", path)
	command.Stderr = &stderr
	// The exit code is that of the messages, which are looked at below.
	out, _ := command.Output()
	var messages []analysis
	if err := json.Unmarshal(out, &messages); err != nil {
		t.Fatalf("istioctl analyze %s: %v\n%s%s", path, err, out, &stderr)
	}
	return messages
}
