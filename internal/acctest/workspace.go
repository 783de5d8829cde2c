package acctest

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/workspace"
)

// commandTimeout bounds one command of a CLI: a test that hangs says where.
const commandTimeout = 3 * time.Minute

// Workspace is a directory in which the real executable runs with the provider
// as a process of its own.
type Workspace struct {
	f *Fixture
	*workspace.Workspace
}

// built is the executable of the provider, built once in a test binary.
var built struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func buildProvider() {
	if built.dir, built.err = os.MkdirTemp("", "acctest-provider-"); built.err == nil {
		built.path, built.err = workspace.BuildProvider(context.Background(), Root(), built.dir)
	}
}

// Workspace makes a workspace with main.tf as its configuration (see Config).
func (f *Fixture) Workspace(cli CLI, main string) *Workspace {
	f.t.Helper()
	w := f.WorkspaceAt(cli, f.t.TempDir())
	w.Write("main.tf", main)
	return w
}

// WorkspaceAt is a workspace in a directory that has a configuration.
func (f *Fixture) WorkspaceAt(cli CLI, dir string) *Workspace {
	f.t.Helper()
	return f.workspace(workspace.New(dir, cli.Path, f.provider()))
}

// InstalledWorkspaceAt is WorkspaceAt for a configuration in which `init` installs
// the provider, as it does for users.
func (f *Fixture) InstalledWorkspaceAt(cli CLI, dir string) *Workspace {
	f.t.Helper()
	return f.workspace(workspace.NewInstalled(dir, cli.Path, f.provider()))
}

// provider returns the path of the provider's executable.
func (f *Fixture) provider() string {
	f.t.Helper()
	built.once.Do(buildProvider)
	if built.err != nil {
		f.t.Fatal(built.err)
	}
	return built.path
}

func (f *Fixture) workspace(w *workspace.Workspace, err error) *Workspace {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
	return &Workspace{f: f, Workspace: w}
}

// Write writes one file of the configuration.
func (w *Workspace) Write(name, text string) {
	w.f.t.Helper()
	if err := w.WriteFile(name, text); err != nil {
		w.f.t.Fatal(err)
	}
}

// Expect runs a command and fails the test unless it ends with that exit code
// and its output contains every wanted text. Line breaks and the frame of a
// diagnostic do not count.
func (w *Workspace) Expect(exitCode int, args []string, wanted ...string) workspace.Result {
	w.f.t.Helper()
	ctx, cancel := context.WithTimeout(w.f.t.Context(), commandTimeout)
	defer cancel()
	process, err := w.Start(ctx, args...)
	if err != nil {
		w.f.t.Fatal(err)
	}
	return w.Finish(process, exitCode, args, wanted...)
}

// Finish is the second half of Expect, for a command that was started before.
func (w *Workspace) Finish(process *workspace.Process, exitCode int, args []string, wanted ...string) workspace.Result {
	w.f.t.Helper()
	result, err := process.Wait()
	if err != nil {
		w.f.t.Fatal(err)
	}
	w.f.t.Logf("%s: exit code %d after %.1f s", strings.Join(args, " "), result.ExitCode, result.Wall.Seconds())
	if result.ExitCode != exitCode {
		w.f.t.Fatalf("%s %s: exit code %d after %s, want %d\n%s", w.Executable, strings.Join(args, " "),
			result.ExitCode, result.Wall.Round(time.Second), exitCode, result.Output)
	}
	for _, text := range wanted {
		if !strings.Contains(Unwrap(result.Output), text) {
			w.f.t.Fatalf("%s %s: the output should contain %q\n%s", w.Executable, strings.Join(args, " "), text, result.Output)
		}
	}
	return result
}

// Unwrap undoes the line breaks and the frame that a CLI puts around the text
// of a diagnostic.
func Unwrap(output string) string {
	output = strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)
	return strings.Join(strings.Fields(output), " ")
}

// Commands, as arguments of Expect.
var (
	// Plan ends with 0 when there is nothing to do, 2 when there is.
	Plan    = []string{"plan", "-no-color", "-detailed-exitcode"}
	Apply   = []string{"apply", "-no-color", "-auto-approve"}
	Destroy = []string{"destroy", "-no-color", "-auto-approve"}
)

// Exit codes of Plan.
const (
	NoChanges  = 0
	Failed     = 1
	HasChanges = 2
)

// Resource is one resource instance in a state file.
type Resource struct {
	Address    string
	Tainted    bool
	Attributes map[string]any
}

// Resources reads the workspace's state: managed resource instances by address.
func (w *Workspace) Resources() map[string]Resource {
	w.f.t.Helper()
	var state struct {
		Resources []struct {
			Mode, Type, Name string
			Instances        []struct {
				IndexKey   any `json:"index_key"`
				Status     string
				Attributes map[string]any
			}
		}
	}
	text, err := os.ReadFile(w.Dir + "/terraform.tfstate")
	if os.IsNotExist(err) {
		return map[string]Resource{}
	}
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		w.f.t.Fatal(err)
	}
	resources := map[string]Resource{}
	for _, r := range state.Resources {
		if r.Mode != "managed" {
			continue
		}
		for _, instance := range r.Instances {
			address := r.Type + "." + r.Name
			if instance.IndexKey != nil {
				key, _ := json.Marshal(instance.IndexKey)
				address += "[" + string(key) + "]"
			}
			resources[address] = Resource{Address: address, Tainted: instance.Status == "tainted", Attributes: instance.Attributes}
		}
	}
	return resources
}
