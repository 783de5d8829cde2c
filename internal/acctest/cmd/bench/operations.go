package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

// cost is what one command cost.
type cost struct {
	wall, cpu time.Duration // cpu: of the CLI and the provider
	provider  usage         // zero where there is none
	requests  testbed.Requests
}

// operations are the commands that are compared.
type operations struct {
	plan, apply, noop, destroy cost
	// stateBytes is the size of the whole state after apply.
	stateBytes int64
}

const userAgent = "terraform-provider-istio/"

// operate runs the life of a workspace; afterApply looks at the cluster meanwhile.
func (l *lab) operate(ctx context.Context, w *workspace.Workspace, afterApply func() error) (operations, error) {
	var o operations
	type command struct {
		name     string
		into     *cost
		exitCode int
		args     []string
		after    func() error
	}
	for _, c := range []command{
		{"plan", &o.plan, 2, []string{"plan", "-no-color", "-detailed-exitcode", "-out=plan"}, nil},
		{"apply", &o.apply, 0, []string{"apply", "-no-color", "-auto-approve"}, afterApply},
		{"no-op plan", &o.noop, 0, []string{"plan", "-no-color", "-detailed-exitcode"}, nil},
		{"destroy", &o.destroy, 0, []string{"destroy", "-no-color", "-auto-approve"}, nil},
	} {
		var err error
		if *c.into, err = l.measure(ctx, w, c.exitCode, c.args); err != nil {
			return o, err
		}
		l.say("%s: %s %.2f s, %.2f s of CPU", filepath.Base(w.Dir), c.name, c.into.wall.Seconds(), c.into.cpu.Seconds())
		if c.name == "apply" {
			info, err := os.Stat(filepath.Join(w.Dir, "terraform.tfstate"))
			if err != nil {
				return o, err
			}
			o.stateBytes = info.Size()
		}
		if c.after != nil {
			if err := c.after(); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

// measure runs one command and fails on another exit code than the expected one.
func (l *lab) measure(ctx context.Context, w *workspace.Workspace, exitCode int, args []string) (cost, error) {
	mark, err := l.controlPlane.Mark()
	if err != nil {
		return cost{}, err
	}
	process, err := w.Start(ctx, args...)
	if err != nil {
		return cost{}, err
	}
	used := watch(l.provider)
	result, err := process.Wait()
	c := cost{wall: result.Wall, cpu: result.CPU, provider: used()}
	if err != nil {
		return c, err
	}
	if result.ExitCode != exitCode {
		return c, fmt.Errorf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), result.ExitCode, exitCode, result.Output)
	}
	all, err := l.controlPlane.Requests(mark)
	c.requests = all.ByAgent(userAgent)
	return c, err
}
