package testbed

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Tool is an executable that Ensure finds or builds.
type Tool string

const (
	// Kubernetes is etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
	// kwok and kubectl in one executable; the first argument picks one.
	Kubernetes Tool = "kubernetes"
	// Istio is pilot-discovery (istiod) and istioctl in one executable.
	Istio Tool = "istio"
	// TerraformCLI is terraform: see Terraform.
	TerraformCLI Tool = "terraform"
	// PilotAgent is what starts Envoy in a pod: pilot-agent.
	PilotAgent Tool = "pilot-agent"
	// OpenTofuCLI is tofu: see OpenTofu.
	OpenTofuCLI Tool = "tofu"
	// PeerKubectl is the provider gavinbunney/kubectl, which the benchmark compares with.
	PeerKubectl Tool = "terraform-provider-kubectl"
	// EnvoyProxy is envoy: see Envoy.
	EnvoyProxy Tool = "envoy"

	supervisor Tool = "supervisor"
)

// Paths is where the executables are.
type Paths map[Tool]string

// builds describes what comes out of a Go module of this repository. The versions
// in ldflags are those of the modules' pins.
func builds(tool Tool) (goBuild, error) {
	modules, err := modulesDir()
	if err != nil {
		return goBuild{}, err
	}
	const version = "-X k8s.io/component-base/version."
	switch tool {
	case Kubernetes:
		return goBuild{
			name: "kubernetes", dir: filepath.Join(modules, "kubernetes"), pkg: ".",
			ldflags: version + "gitVersion=v1.37.1 " + version + "gitMajor=1 " + version + "gitMinor=37",
			links:   []string{"kubectl"},
			about:   "Kubernetes 1.37 with etcd and kwok, about 5 minutes on two cores",
		}, nil
	case Istio:
		return goBuild{
			name: "istio", dir: filepath.Join(modules, "istio"), pkg: ".",
			ldflags: "-X istio.io/istio/pkg/version.buildVersion=1.31.1",
			links:   []string{"istioctl", "pilot-discovery"},
			about:   "istiod and istioctl 1.31, about 4 minutes on two cores",
		}, nil
	case PilotAgent:
		return goBuild{
			name: "pilot-agent", dir: filepath.Join(modules, "istio"), pkg: "./pilot-agent",
			ldflags: "-X istio.io/istio/pkg/version.buildVersion=1.31.1",
			about:   "pilot-agent 1.31, some seconds after istiod",
		}, nil
	case OpenTofuCLI:
		return goBuild{
			name: "tofu", dir: filepath.Join(modules, "opentofu"), pkg: "github.com/opentofu/opentofu/cmd/tofu",
			// A -dev version satisfies no required_version.
			ldflags: "-X github.com/opentofu/opentofu/version.dev=no",
			about:   "OpenTofu 1.12, about 3 minutes on two cores",
		}, nil
	case PeerKubectl:
		return goBuild{
			name: string(tool), dir: filepath.Join(modules, "..", "peers", "kubectl"), pkg: "github.com/gavinbunney/terraform-provider-kubectl",
			about: "the provider gavinbunney/kubectl, about 3 minutes on two cores",
		}, nil
	case supervisor:
		return goBuild{
			name: "supervisor", dir: filepath.Join(modules, "..", "..", "internal", "acctest", "testbed", "supervisor"), pkg: ".",
			about: "the supervisor of the test processes, some seconds",
		}, nil
	}
	return goBuild{}, fmt.Errorf("unknown tool %q", tool)
}

// Ensure finds or builds the tools and returns where they are. One after the
// other: each build uses all cores already.
func Ensure(ctx context.Context, out io.Writer, tools ...Tool) (Paths, error) {
	if out == nil {
		out = os.Stderr
	}
	paths := Paths{}
	for _, tool := range tools {
		var path string
		var err error
		switch tool {
		case TerraformCLI:
			path, err = findTerraform(ctx, out)
		case OpenTofuCLI:
			path, err = findOpenTofu(ctx, out)
		case EnvoyProxy:
			path, err = findEnvoy(ctx, out)
		default:
			var b goBuild
			if b, err = builds(tool); err == nil {
				path, err = b.ensure(ctx, out)
			}
		}
		if err != nil {
			return nil, err
		}
		paths[tool] = path
	}
	return paths, nil
}

// Istioctl returns the path of istioctl, of the version of the istiod that Start
// starts.
func Istioctl(ctx context.Context) (string, error) { return linked(ctx, Istio, "istioctl") }

// Kubectl returns the path of kubectl, of the version of the API server.
func Kubectl(ctx context.Context) (string, error) { return linked(ctx, Kubernetes, "kubectl") }

func linked(ctx context.Context, tool Tool, name string) (string, error) {
	paths, err := Ensure(ctx, nil, tool)
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(paths[tool]), name), nil
}
