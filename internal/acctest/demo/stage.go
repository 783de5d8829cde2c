package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

// stage is what the demo plays on: a control plane, and a directory with the
// configuration and the commands.
type stage struct {
	out          io.Writer
	controlPlane *testbed.ControlPlane
	dir          string
	cli          string // terraform or tofu: the command as it is typed
	workspace    *workspace.Workspace
	kubectlPath  string
	// edited and deleted are the VirtualService and the ServiceEntry that breakIt
	// changes behind the provider's back.
	edited, deleted string
	// meshConfig is the text of the mesh config before the demo.
	meshConfig string
	// traffic makes calls; nil: none are made.
	traffic Traffic
	// stopTraffic ends it.
	stopTraffic context.CancelFunc
	// made are the calls so far.
	made []made
	// enter is Options.Enter.
	enter string
}

// newStage starts the control plane and builds the provider. The caller closes
// the stage, also when an error is returned.
func newStage(ctx context.Context, out io.Writer, options Options) (*stage, error) {
	s := &stage{out: out, cli: "terraform", traffic: options.Traffic, enter: options.Enter}
	tool := testbed.TerraformCLI
	if os.Getenv("ACCTEST_CLI") == "tofu" {
		s.cli, tool = "tofu", testbed.OpenTofuCLI
	}
	root, err := Checkout()
	if err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "istio-egress-demo-"); err != nil {
		return s, err
	}
	paths, err := testbed.Ensure(ctx, out, testbed.Kubernetes, testbed.Istio, tool)
	if err != nil {
		return s, err
	}
	bin := filepath.Join(s.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return s, err
	}
	provider := ""
	if options.Archive == "" {
		say(out, "Building the provider of this checkout.")
		if provider, err = workspace.BuildProvider(ctx, root, bin); err != nil {
			return s, err
		}
	}
	options.ControlPlane.Out = out
	if s.controlPlane, err = testbed.Start(ctx, options.ControlPlane); err != nil {
		return s, err
	}
	if s.traffic != nil {
		ctx, s.stopTraffic = context.WithCancel(ctx)
		if err := s.traffic.Start(ctx, s.controlPlane); err != nil {
			return s, err
		}
	}
	if s.kubectlPath, err = testbed.Kubectl(ctx); err != nil {
		return s, err
	}
	for name, target := range map[string]string{s.cli: paths[tool], "kubectl": s.kubectlPath} {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			return s, err
		}
	}
	if err := copyConfiguration(filepath.Join(root, "examples", "demo"), s.dir); err != nil {
		return s, err
	}
	connection := "KUBE_CONFIG_PATH=" + s.controlPlane.Kubeconfig
	if options.Archive == "" {
		s.workspace, err = workspace.NewInstalled(s.dir, paths[tool], provider, connection)
	} else {
		s.workspace, err = workspace.NewFromArchive(s.dir, paths[tool], options.Archive, connection)
	}
	if err != nil {
		return s, err
	}
	s.workspace.Echo = out
	return s, nil
}

func (s *stage) close() error {
	if s.stopTraffic != nil {
		s.stopTraffic()
	}
	var err error
	if s.controlPlane != nil {
		err = s.controlPlane.Stop()
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// environment is what a reader types to go on by himself in another terminal.
func (s *stage) environment() string {
	enter := ""
	if s.enter != "" {
		enter = "  " + s.enter + "\n"
	}
	return enter + fmt.Sprintf(`  cd %[1]s
  export PATH=%[1]s/bin:$PATH
  export TF_CLI_CONFIG_FILE=%[1]s/%[3]s
  export KUBE_CONFIG_PATH=%[2]s KUBECONFIG=%[2]s
`, s.dir, s.controlPlane.Kubeconfig, workspace.CLIConfig)
}

// kubectl runs the control plane's own kubectl.
func (s *stage) kubectl(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, s.kubectlPath, args...)
	command.Dir = s.dir
	command.Env = []string{"KUBECONFIG=" + s.controlPlane.Kubeconfig, "HOME=" + s.dir, "PATH=" + os.Getenv("PATH")}
	output, err := command.CombinedOutput()
	if err != nil {
		return string(output), fmt.Errorf("kubectl %v: %w\n%s", args, err, output)
	}
	return string(output), nil
}

// Checkout finds the top folder of the checkout above the working directory.
func Checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "examples", "demo", "main.tf")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("run this inside a checkout of terraform-provider-istio")
		}
	}
}

func copyConfiguration(from, to string) error {
	for _, name := range []string{"main.tf", "workloads.yaml"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
