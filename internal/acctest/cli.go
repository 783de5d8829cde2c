package acctest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// CLI is the executable that drives tests.
type CLI struct {
	// Path of the executable.
	Path string
	// OpenTofu tells tofu from terraform.
	OpenTofu bool
	// Version without a leading v, such as 1.15.5.
	Version string
}

// String returns name and version.
func (c CLI) String() string {
	if c.OpenTofu {
		return "OpenTofu " + c.Version
	}
	return "Terraform " + c.Version
}

// firstIdentity is the version from which Terraform, and OpenTofu too, know
// resource identity.
const firstIdentity = "1.12.0"

// ImportsByIdentity reports whether the CLI has import blocks with `identity`.
func (c CLI) ImportsByIdentity() bool {
	v, err := version.ParseSemantic(c.Version)
	return err == nil && v.AtLeast(version.MustParseSemantic(firstIdentity))
}

// Identity reports whether a step of terraform-plugin-testing can import by
// identity: it reads the identity from `show -json`, which OpenTofu 1.12 leaves out
// (internal/command/jsonstate in opentofu/opentofu).
func (c CLI) Identity() bool { return c.ImportsByIdentity() && !c.OpenTofu }

// firstQuery is the version from which Terraform has list resources and
// `terraform query`. OpenTofu 1.12 has neither (opentofu/opentofu#3787).
const firstQuery = "1.14.0"

// Queries reports whether the CLI has `query`.
func (c CLI) Queries() bool {
	v, err := version.ParseSemantic(c.Version)
	return err == nil && !c.OpenTofu && v.AtLeast(version.MustParseSemantic(firstQuery))
}

// FindCLI finds or builds another CLI than the one that drives the tests, by a
// name that ACCTEST_CLI may have.
func (f *Fixture) FindCLI(name string) CLI {
	f.t.Helper()
	cli, err := findCLI(f.t.Context(), name)
	if err != nil {
		f.t.Fatal(err)
	}
	return cli
}

// use makes terraform-plugin-testing run this executable.
func (c CLI) use() {
	registry := "registry.terraform.io"
	if c.OpenTofu {
		// The default host of a provider address without one.
		registry = "registry.opentofu.org"
	}
	for name, value := range map[string]string{
		"TF_ACC_TERRAFORM_PATH":     c.Path,
		"TF_ACC_PROVIDER_HOST":      registry,
		"TF_ACC_PROVIDER_NAMESPACE": "meshegress",
		"CHECKPOINT_DISABLE":        "1",
		// A developer's own plugin cache, mirrors or overrides.
		"TF_CLI_CONFIG_FILE": os.DevNull,
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
}

// findCLI finds or builds terraform (also for an empty name), terraform of one
// minor version, or tofu.
func findCLI(ctx context.Context, name string) (CLI, error) {
	if minor, ok := strings.CutPrefix(name, "terraform-"); ok {
		path, err := testbed.TerraformWheel(ctx, os.Stderr, minor)
		if err != nil {
			return CLI{}, fmt.Errorf("ACCTEST_CLI=%s: %w", name, err)
		}
		return inspect(ctx, path)
	}
	tool := testbed.TerraformCLI
	switch name {
	case "", "terraform":
	case "tofu":
		tool = testbed.OpenTofuCLI
	default:
		return CLI{}, fmt.Errorf("ACCTEST_CLI=%s: must be terraform, terraform-<minor version> or tofu", name)
	}
	paths, err := testbed.Ensure(ctx, os.Stderr, tool)
	if err != nil {
		return CLI{}, err
	}
	return inspect(ctx, paths[tool])
}

// inspect asks an executable what it is.
func inspect(ctx context.Context, path string) (CLI, error) {
	run := func(args ...string) ([]byte, error) {
		command := exec.CommandContext(ctx, path, args...)
		// A CLI configuration that is not there makes OpenTofu print a warning
		// before the JSON.
		command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1")
		output, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", path, strings.Join(args, " "), err)
		}
		return output, nil
	}
	output, err := run("version", "-json")
	if err != nil {
		return CLI{}, err
	}
	var answer struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal(output, &answer); err != nil {
		return CLI{}, fmt.Errorf("%s version -json: %w", path, err)
	}
	text, err := run("version")
	if err != nil {
		return CLI{}, err
	}
	return CLI{Path: path, Version: answer.Version, OpenTofu: strings.Contains(string(text), "OpenTofu")}, nil
}
