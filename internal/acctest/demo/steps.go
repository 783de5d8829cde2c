package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/proxyview"
)

// Exit codes of `plan -detailed-exitcode`.
const (
	planIsEmpty    = 0
	planHasChanges = 2
)

// The objects behind the provider's back that the demo changes.
const (
	gatewayNamespace = "istio-egress"
	sourceNamespace  = "mytest"
	evilHost         = "evil.example"
)

// istioKinds are the kinds that a policy consists of.
const istioKinds = "serviceentries,virtualservices,destinationrules,gateways.networking.istio.io,authorizationpolicies,services"

func run(ctx context.Context, out io.Writer, options Options, keep bool) (err error) {
	s, err := newStage(ctx, out, options)
	defer func() { err = errors.Join(err, s.close()) }()
	if err != nil {
		return err
	}
	if s.traffic == nil {
		say(out, "This run leaves out %s.", options.leftOut())
	}
	say(out, "The commands below can be repeated in another terminal, while this runs, after:\n\n%s", s.environment())
	for _, step := range []func(context.Context) error{
		s.prepare, s.before, s.plan, s.apply, s.look, s.granted, s.closed, s.breakIt, s.broken, s.planShowsDrift, s.repair,
		s.repaired, s.emptyPlan,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if keep {
		return s.keep(ctx)
	}
	if err := s.destroy(ctx); err != nil {
		return err
	}
	if err := s.nothingLeft(ctx); err != nil {
		return err
	}
	return s.after(ctx)
}

// keep says how to go on by hand, and waits until the reader has had enough.
func (s *stage) keep(ctx context.Context) error {
	say(s.out, "KEEP=1: everything stays until you press Ctrl-C here. In another terminal:\n\n%s", s.environment())
	if s.traffic != nil {
		for _, selector := range []string{sleepA, sleepB} {
			pod, err := s.pod(ctx, selector)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(s.out, "  %s curl -i %s    # as %s\n", s.traffic.Within(pod), web, name(selector))
		}
	}
	_, _ = fmt.Fprintf(s.out, "  %s destroy\n", s.cli)
	<-ctx.Done()
	return nil
}

func (s *stage) prepare(ctx context.Context) error {
	say(s.out, "Two namespaces, and in one of them two workloads.")
	if _, err := s.showKubectl(ctx, "apply", "-f", "workloads.yaml"); err != nil {
		return err
	}
	if s.traffic != nil {
		// Their sidecars take some seconds to start.
		if _, err := s.showKubectl(ctx, "-n", sourceNamespace, "wait", "--for=condition=Available", "--timeout=2m", "deployment", "--all"); err != nil {
			return err
		}
	}
	var err error
	if s.meshConfig, err = s.kubectl(ctx, readMeshConfig...); err != nil {
		return err
	}
	if err := s.undeclared(ctx, proxyview.PassThrough); err != nil {
		return err
	}
	say(s.out, "The configuration is examples/demo/main.tf: a gateway, a policy that lets sleep-a out to three hosts, and a mesh that is closed for all else.")
	if err := s.showCLI(ctx, 0, []string{"successfully initialized"}, "init", "-no-color"); err != nil {
		return err
	}
	// So that the next init takes the same bits, or says that it does not.
	lock, err := os.ReadFile(filepath.Join(s.dir, ".terraform.lock.hcl"))
	if err == nil && !strings.Contains(string(lock), `"h1:`) {
		err = fmt.Errorf("the lock file has no checksum:\n%s", lock)
	}
	return err
}

func (s *stage) plan(ctx context.Context) error {
	say(s.out, "The plan says who is granted what, and lists every object that will be written.")
	return s.showCLI(ctx, planHasChanges, []string{
		"istio_egress_gateway.a will be created",
		"istio_egress_traffic_policy.payments will be created",
		"mytest/app=sleep-a (sa sleep-a) -> httpbin.org:80 HTTP",
		"Deployment/istio-egress/egressgateway-a",
		"VirtualService/mytest/",
		"istio_outbound_traffic_policy.mesh will be created",
	}, "plan", "-no-color", "-detailed-exitcode", "-out=plan")
}

func (s *stage) apply(ctx context.Context) error {
	say(s.out, "Apply writes them, and waits until the gateway's pods are available.")
	return s.showCLI(ctx, 0, []string{"Apply complete!", "gateway_ports"}, "apply", "-no-color", "plan")
}

func (s *stage) look(ctx context.Context) error {
	say(s.out, "This is what it made. The pod was injected by the real istiod.")
	output, err := s.showKubectl(ctx, "-n", gatewayNamespace, "get", "deployments,pods,"+istioKinds)
	if err := shows(output, err, "deployment.apps/egressgateway-a", "1/1", "Running", "gateway.networking.istio.io/egressgateway-a-"); err != nil {
		return err
	}
	output, err = s.showKubectl(ctx, "-n", sourceNamespace, "get", istioKinds)
	return shows(output, err, "virtualservice", "serviceentry", "destinationrule")
}

// breakIt edits one VirtualService and deletes one ServiceEntry by hand.
func (s *stage) breakIt(ctx context.Context) error {
	say(s.out, "Now somebody edits a VirtualService by hand, and deletes a ServiceEntry.")
	var err error
	if s.edited, err = s.first(ctx, "virtualservices", `{range .items[?(@.spec.http)]}{.metadata.name}{"\n"}{end}`); err != nil {
		return err
	}
	if s.deleted, err = s.first(ctx, "serviceentries", `{range .items[*]}{.metadata.name}{"\n"}{end}`); err != nil {
		return err
	}
	if _, err := s.showKubectl(ctx, "-n", sourceNamespace, "patch", "virtualservice", s.edited, "--type=json",
		`--patch=[{"op": "replace", "path": "/spec/http/0/route/0/destination/host", "value": "`+evilHost+`"}]`); err != nil {
		return err
	}
	_, err = s.showKubectl(ctx, "-n", sourceNamespace, "delete", "serviceentry", s.deleted)
	return err
}

func (s *stage) planShowsDrift(ctx context.Context) error {
	say(s.out, "The next plan shows both: in `drift` what was changed and by whom, and in `manifests` what will be put back.")
	return s.showCLI(ctx, planHasChanges, []string{
		"istio_egress_traffic_policy.payments will be updated in-place",
		"drift", evilHost, "kubectl-patch",
		"VirtualService/" + sourceNamespace + "/" + s.edited,
		"ServiceEntry/" + sourceNamespace + "/" + s.deleted,
	}, "plan", "-no-color", "-detailed-exitcode", "-out=plan")
}

func (s *stage) repair(ctx context.Context) error {
	say(s.out, "Apply repairs them.")
	if err := s.showCLI(ctx, 0, []string{"0 added, 1 changed, 0 destroyed"}, "apply", "-no-color", "plan"); err != nil {
		return err
	}
	output, err := s.showKubectl(ctx, "-n", sourceNamespace, "get", "virtualservice", s.edited,
		"-o", `jsonpath={.spec.http[0].route[0].destination.host}{"\n"}`)
	if err := shows(output, err, "payments-egw."); err != nil {
		return err
	}
	_, err = s.showKubectl(ctx, "-n", sourceNamespace, "get", "serviceentry", s.deleted)
	return err
}

func (s *stage) emptyPlan(ctx context.Context) error {
	say(s.out, "And nothing is left to do: the exit code 0 of -detailed-exitcode says that the plan is empty.")
	return s.showCLI(ctx, planIsEmpty, []string{"No changes."}, "plan", "-no-color", "-detailed-exitcode")
}

func (s *stage) destroy(ctx context.Context) error {
	say(s.out, "Destroy takes everything away again.")
	return s.showCLI(ctx, 0, []string{"3 destroyed"}, "destroy", "-no-color", "-auto-approve")
}

func (s *stage) nothingLeft(ctx context.Context) error {
	say(s.out, "Nothing of it is left in the cluster.")
	output, err := s.showKubectl(ctx, "get", "--all-namespaces", "--selector", "app.kubernetes.io/managed-by=terraform-provider-istio",
		"deployments,serviceaccounts,roles,rolebindings,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies,telemetries,"+istioKinds)
	if err := shows(output, err, "No resources found"); err != nil {
		return err
	}
	text, err := s.kubectl(ctx, readMeshConfig...)
	if err != nil {
		return err
	}
	if text != s.meshConfig {
		return fmt.Errorf("the mesh config should be as it was. It is:\n%s\nIt was:\n%s", text, s.meshConfig)
	}
	return s.undeclared(ctx, proxyview.PassThrough)
}

// first returns the first line of a JSONPath over the objects of the source namespace.
func (s *stage) first(ctx context.Context, kind, path string) (string, error) {
	output, err := s.kubectl(ctx, "-n", sourceNamespace, "get", kind, "-o", "jsonpath="+path)
	if err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(strings.TrimSpace(output), "\n")
	if name == "" {
		return "", fmt.Errorf("no %s in namespace %s", kind, sourceNamespace)
	}
	return name, nil
}

// showKubectl prints a command, runs it and prints its output.
func (s *stage) showKubectl(ctx context.Context, args ...string) (string, error) {
	prompt(s.out, "kubectl", args)
	output, err := s.kubectl(ctx, args...)
	if err == nil {
		_, _ = io.WriteString(s.out, output)
	}
	return output, err
}

// showCLI prints a command, runs it with its output shown, and checks how it
// ended and that it said what it should.
func (s *stage) showCLI(ctx context.Context, exitCode int, wanted []string, args ...string) error {
	prompt(s.out, s.cli, args)
	result, err := s.workspace.Run(ctx, args...)
	if err != nil {
		return err
	}
	if result.ExitCode != exitCode {
		return fmt.Errorf("%s %s: exit code %d, want %d", s.cli, args[0], result.ExitCode, exitCode)
	}
	if err := shows(result.Output, nil, wanted...); err != nil {
		return fmt.Errorf("%s %s: %w", s.cli, args[0], err)
	}
	return nil
}

// shows checks that an output has every wanted text.
func shows(output string, err error, wanted ...string) error {
	if err != nil {
		return err
	}
	for _, text := range wanted {
		if !strings.Contains(output, text) {
			return fmt.Errorf("the output above should contain %q", text)
		}
	}
	return nil
}

func say(out io.Writer, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	_, _ = fmt.Fprintf(out, "\n%s\n", bold("# "+text))
}

func prompt(out io.Writer, command string, args []string) {
	line := "$ " + command
	for _, arg := range args {
		if strings.ContainsAny(arg, " {}[]\"*") {
			arg = "'" + arg + "'"
		}
		line += " " + arg
	}
	_, _ = fmt.Fprintf(out, "\n%s\n", bold(line))
}

// bold is for terminals only: a log keeps plain text.
func bold(text string) string {
	info, err := os.Stdout.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}
