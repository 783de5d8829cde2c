package endtoend_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
)

// TestDemo runs `make demo` as a reader does. The demo checks itself what each of
// its steps shows.
func TestDemo(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("the demo needs a control plane: set TF_ACC=1 (or run make testacc)")
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "run", "./internal/acctest/cmd/demo")
	command.Dir = acctest.Root()
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}
