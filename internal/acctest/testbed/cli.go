package testbed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/version"
)

// What has to be there for a CLI on PATH to be taken: Terraform 1.15, with which
// list resources and queries are tested, and the OpenTofu that is pinned.
const (
	wantTerraform = "1.15.0"
	wantOpenTofu  = "1.12.0"
	// oldestTerraform is the provider's own floor. It is taken where nothing newer can
	// be had: tests of newer features then skip by its version.
	oldestTerraform = "1.8.0"
)

// Terraform returns a terraform executable: that of TF_ACC_TERRAFORM_PATH, else a
// new enough one on PATH, else Terraform 1.15 from a Python wheel.
func Terraform(ctx context.Context) (string, error) { return findTerraform(ctx, os.Stderr) }

// OpenTofu returns a tofu executable: a new enough one on PATH, else one that is
// built from its Go module. (TF_ACC_TERRAFORM_PATH is not looked at: it says what
// drives the tests, and most often that is Terraform.)
func OpenTofu(ctx context.Context) (string, error) { return findOpenTofu(ctx, os.Stderr) }

func findTerraform(ctx context.Context, out io.Writer) (string, error) {
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		if !isFile(path) {
			return "", fmt.Errorf("TF_ACC_TERRAFORM_PATH=%s is not a file", path)
		}
		return path, nil
	}
	onPath := lookUp(ctx, "terraform")
	if onPath.atLeast(wantTerraform) {
		return onPath.path, nil
	}
	wheel, err := TerraformWheel(ctx, out, newestWheel)
	if err == nil {
		return wheel, nil
	}
	if onPath.atLeast(oldestTerraform) {
		_, _ = fmt.Fprintf(out, "testbed: using terraform %s from PATH, as 1.15 is not to be had: %v\n", onPath.version, err)
		return onPath.path, nil
	}
	return "", fmt.Errorf("no Terraform >= %s on PATH, and its wheel is not to be had (set TF_ACC_TERRAFORM_PATH): %w", wantTerraform, err)
}

func findOpenTofu(ctx context.Context, out io.Writer) (string, error) {
	if onPath := lookUp(ctx, "tofu"); onPath.atLeast(wantOpenTofu) {
		return onPath.path, nil
	}
	b, err := builds(OpenTofuCLI)
	if err != nil {
		return "", err
	}
	return b.ensure(ctx, out)
}

// installed is an executable on PATH; without one, path is empty.
type installed struct {
	path    string
	version string
}

func lookUp(ctx context.Context, name string) installed {
	path, err := exec.LookPath(name)
	if err != nil {
		return installed{}
	}
	if path, err = filepath.Abs(path); err != nil {
		return installed{}
	}
	cmd := exec.CommandContext(ctx, path, "version", "-json")
	// Neither a user's CLI configuration nor the working directory has a say in it.
	cmd.Env = append(cleanEnv(), "TF_CLI_CONFIG_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1")
	cmd.Dir = os.TempDir()
	answer, err := cmd.Output()
	if err != nil {
		return installed{}
	}
	var parsed struct {
		Version string `json:"terraform_version"`
	}
	if json.Unmarshal(answer, &parsed) != nil {
		return installed{}
	}
	return installed{path, parsed.Version}
}

func (i installed) atLeast(want string) bool {
	if i.path == "" {
		return false
	}
	have, err := version.ParseSemantic(i.version)
	return err == nil && have.AtLeast(version.MustParseSemantic(want))
}
