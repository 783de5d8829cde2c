package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

// operation is what is compared: the commands in the life of a configuration.
type operation string

const (
	planning   operation = "plan of the creation"
	applying   operation = "apply"
	noop       operation = "plan without changes"
	refreshing operation = "refresh-only plan"
	changing   operation = "apply, one policy changed"
	destroying operation = "destroy"
)

// operations are in the order in which they are run.
var operations = []operation{planning, applying, noop, refreshing, changing, destroying}

// cost is what one command cost.
type cost struct {
	wall time.Duration
	// cli is what was typed: terraform, kubectl, the raw loop. provider is zero
	// where there is none.
	cli, provider usage
	requests      testbed.Requests
	// surprise is set where a plan that should be empty is not.
	surprise bool
}

func (c cost) cpu() time.Duration { return c.cli.cpu + c.provider.cpu }

// life is what every operation cost. One that a subject does not have is missing.
type life struct {
	costs map[operation]cost
	// stateBytes is the size of the whole state after apply, 0 without one.
	stateBytes int64
}

func newLife() life { return life{costs: map[operation]cost{}} }

// peak is the greatest memory of the provider in all operations, in bytes.
func (o life) peak() int64 {
	var peak int64
	for _, c := range o.costs {
		peak = max(peak, c.provider.peakRSS)
	}
	return peak
}

// discovery is how often a client asked the API server what it serves.
func (o life) discovery() int {
	var count int
	for _, c := range o.costs {
		count += len(c.requests.Where(isDiscovery))
	}
	return count
}

// isDiscovery: whatever is no request for a resource is one for /api, /apis,
// /openapi or /version.
func isDiscovery(r testbed.Request) bool { return strings.HasPrefix(r.Resource, "/") }

// command is one operation as a Terraform user types it.
type command struct {
	operation operation
	args      []string
	// codes are the exit codes that are expected.
	codes []int
	after func() error
}

// editing is the argument with which a configuration changes one policy.
const editing = "-var=edited=true"

// edited declares the variable of that argument.
const edited = "variable \"edited\" {\n  default = false\n}\n"

// commands are the life of a workspace. A strict one plans nothing after its own
// apply; of others that is only noted. afterApply and afterChange look at the
// cluster meanwhile.
func commands(strict bool, afterApply, afterChange func() error) []command {
	empty := []int{0}
	if !strict {
		empty = []int{0, 2}
	}
	return []command{
		{planning, []string{"plan", "-no-color", "-detailed-exitcode", "-out=plan"}, []int{2}, nil},
		{applying, []string{"apply", "-no-color", "-auto-approve"}, []int{0}, afterApply},
		{noop, []string{"plan", "-no-color", "-detailed-exitcode"}, empty, nil},
		{refreshing, []string{"plan", "-no-color", "-detailed-exitcode", "-refresh-only"}, empty, nil},
		{changing, []string{"apply", "-no-color", "-auto-approve", editing}, []int{0}, afterChange},
		{destroying, []string{"destroy", "-no-color", "-auto-approve"}, []int{0}, nil},
	}
}

// live runs commands in a workspace. provider is the executable to watch beside the
// CLI, user whose requests count.
func (l *lab) live(ctx context.Context, w *workspace.Workspace, provider, user string, commands []command) (life, error) {
	o := newLife()
	for _, c := range commands {
		used, err := l.measure(ctx, w, provider, user, c)
		if err != nil {
			return o, err
		}
		o.costs[c.operation] = used
		l.say("%s: %s %.2f s, %.2f s of CPU", filepath.Base(w.Dir), c.operation, used.wall.Seconds(), used.cpu().Seconds())
		if c.operation == applying {
			if info, err := os.Stat(filepath.Join(w.Dir, "terraform.tfstate")); err == nil {
				o.stateBytes = info.Size()
			}
		}
		if c.after != nil {
			if err := c.after(); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

// measure runs one command and fails on an unexpected exit code.
func (l *lab) measure(ctx context.Context, w *workspace.Workspace, provider, user string, c command) (cost, error) {
	mark, err := l.controlPlane.Mark()
	if err != nil {
		return cost{}, err
	}
	process, err := w.Start(ctx, c.args...)
	if err != nil {
		return cost{}, err
	}
	used := watch(process.Pid(), provider)
	result, err := process.Wait()
	o := cost{wall: result.Wall}
	o.cli, o.provider = used()
	o.cli.cpu = max(0, result.CPU-o.provider.cpu) // exact, and that of the provider is in it
	if err != nil {
		return o, err
	}
	if !slices.Contains(c.codes, result.ExitCode) {
		return o, fmt.Errorf("%s: %s: exit code %d, want %d\n%s", filepath.Base(w.Dir), strings.Join(c.args, " "), result.ExitCode, c.codes, result.Output)
	}
	o.surprise = len(c.codes) > 1 && result.ExitCode != c.codes[0]
	all, err := l.controlPlane.Requests(mark)
	o.requests = all.By(user).Where(func(r testbed.Request) bool { return r.UserAgent != l.controlPlane.RESTConfig.UserAgent })
	return o, err
}
