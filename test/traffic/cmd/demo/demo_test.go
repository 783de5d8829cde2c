package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
)

// TestDemo runs the demo as a reader does. It checks itself what each of its steps
// shows, calls among it.
func TestDemo(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("the demo needs a control plane: set TF_ACC=1 (or run make test-traffic)")
	}
	if missing := fabric.Missing(); missing != "" {
		acctest.Skip(t, missing)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "run", ".")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if !strings.Contains(string(output), "answered") {
		t.Errorf("it has made no calls:\n%s", output)
	}
}
