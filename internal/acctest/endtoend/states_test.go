package endtoend_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/protocol"
	"github.com/meshegress/terraform-provider-istio/internal/provider"
)

// writeState writes folders of testdata/states, and tests nothing.
var writeState = flag.String("write-state", "", "write `folders` of testdata/states, with commas between: only for schema versions that no release has")

const states = "testdata/states"

// changed has, by folder, what the provider of this checkout wants to change in
// objects of that schema version, as the plan prints it. It is empty where
// today's provider compiles the same intent to the same objects.
var changed = map[string][]string{
	// The configuration says `workload_selector = {}` now, and the record with it.
	"istio_egress_traffic_policy/v0": {"Plan: 0 to add, 3 to change, 0 to destroy."},
}

// refused has, by folder, what the provider of this checkout says of the
// configuration that was applied then. What it asks for instead is `today.tf`.
var refused = map[string]string{
	"istio_egress_traffic_policy/v0": "Source without workloads",
}

// recordedState is the part of a state that an upgrade works on.
type recordedState struct {
	Resources []struct {
		Type, Name string
		Instances  []struct {
			SchemaVersion int64 `json:"schema_version"`
			Attributes    json.RawMessage
			Identity      struct{ Scope, Namespace, Name *string }
		}
	}
}

// TestStatesOfAllVersions needs no cluster: every schema version of every
// resource has a state here, and today's schema reads it.
func TestStatesOfAllVersions(t *testing.T) {
	server, err := protocol.New(provider.New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for resource, schema := range schemas.ResourceSchemas {
		for version := range schema.Version + 1 {
			folder := fmt.Sprintf("%s/v%d", resource, version)
			t.Run(folder, func(t *testing.T) {
				var state recordedState
				if err := json.Unmarshal([]byte(stateText(t, folder, "state.json")), &state); err != nil {
					t.Fatal(err)
				}
				instances := 0
				for _, r := range state.Resources {
					for _, instance := range r.Instances {
						if r.Type != resource || instance.SchemaVersion != version {
							t.Fatalf("%s.%s has schema version %d", r.Type, r.Name, instance.SchemaVersion)
						}
						instances++
						upgrade(t, server, schema, resource, version, instance.Attributes)
					}
				}
				if instances == 0 {
					t.Error("there is no instance in the state")
				}
			})
		}
	}
}

// upgrade decodes the attributes of a state as core has it done before a plan.
func upgrade(t *testing.T, server tfprotov6.ProviderServer, schema *tfprotov6.Schema, resource string, version int64, attributes []byte) {
	t.Helper()
	resp, err := server.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: resource, Version: version, RawState: &tfprotov6.RawState{JSON: attributes},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range resp.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
	if resp.UpgradedState == nil {
		t.Fatal("no state came back")
	}
	if _, err := resp.UpgradedState.Unmarshal(schema.ValueType()); err != nil {
		t.Error(err)
	}
}

// TestStates goes on with what an apply of each schema version left behind.
func TestStates(t *testing.T) {
	if *writeState != "" {
		f := acctest.New(t)
		for folder := range strings.SplitSeq(*writeState, ",") {
			record(f, folder)
		}
		return
	}
	folders, err := filepath.Glob(states + "/*/v*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no folders in %s: %v", states, err)
	}
	for _, path := range folders {
		folder, _ := filepath.Rel(states, path)
		t.Run(folder, func(t *testing.T) { goOn(acctest.New(t), folder) })
	}
}

func goOn(f *acctest.Fixture, folder string) {
	t := f.T()
	before, _ := prepare(f, folder)
	config := before
	if refused[folder] != "" {
		config = f.Config(stateText(t, folder, "today.tf"))
	}
	f.Restore(stateText(t, folder, "objects.yaml"))

	// What the annotations of the objects say is a format for ever, too.
	importable := config
	if !strings.Contains(stateText(t, folder, "objects.yaml"), `"timeouts":`) {
		// Only a gateway's objects say the timeouts.
		importable = regexp.MustCompile(`(?m)^  timeouts .*$`).ReplaceAllString(config, "")
	}
	imported := f.Workspace(f.CLI, importable)
	for address, id := range ids(t, folder) {
		imported.Expect(0, []string{"import", "-no-color", address, id})
	}
	expectChanges(imported, folder)

	w := f.Workspace(f.CLI, before)
	w.Write("terraform.tfstate", stateText(t, folder, "state.json"))
	if problem := refused[folder]; problem != "" {
		w.Expect(acctest.Failed, acctest.Plan, problem)
		w.Write("main.tf", config)
	}
	if expectChanges(w, folder) {
		w.Expect(0, acctest.Apply)
		w.Expect(acctest.NoChanges, acctest.Plan)
	}
	w.Expect(0, acctest.Destroy)
	nothingLeft(t, f)
}

// expectChanges plans, and reports whether there is to be something to do.
func expectChanges(w *acctest.Workspace, folder string) bool {
	lines, some := changed[folder]
	if some {
		w.Expect(acctest.HasChanges, acctest.Plan, lines...)
	} else {
		w.Expect(acctest.NoChanges, acctest.Plan)
	}
	return some
}

// ids returns the import ids of the instances in a state, by address.
func ids(t *testing.T, folder string) map[string]string {
	t.Helper()
	var state recordedState
	if err := json.Unmarshal([]byte(stateText(t, folder, "state.json")), &state); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, r := range state.Resources {
		identity, parts := r.Instances[0].Identity, []string{}
		for _, part := range []*string{identity.Scope, identity.Namespace, identity.Name} {
			if part != nil {
				parts = append(parts, *part)
			}
		}
		found[r.Type+"."+r.Name] = strings.Join(parts, "/")
	}
	return found
}

// prepare makes what has to be there before. It returns the configuration and
// the ConfigMaps that it has made.
func prepare(f *acctest.Fixture, folder string) (config string, configMaps []*unstructured.Unstructured) {
	t := f.T()
	t.Helper()
	main := stateText(t, folder, "main.tf")
	names := regexp.MustCompile(`"state-[a-z]+"`).FindAllString(main, -1)
	slices.Sort(names)
	for _, quoted := range slices.Compact(names) {
		name := strings.Trim(quoted, `"`)
		f.FixedNamespace(name)
		f.BindGatewayRole(name)
		f.BindSourceRole(name)
	}
	if text, ok := optionalText(t, folder, "before.yaml"); ok {
		for _, object := range f.Apply("", text) {
			if object.GetKind() == "ConfigMap" {
				configMaps = append(configMaps, object)
			}
		}
	}
	return f.Config(main), configMaps
}

// record writes what an apply of today leaves behind.
func record(f *acctest.Fixture, folder string) {
	t := f.T()
	t.Helper()
	config, configMaps := prepare(f, folder)
	w := f.Workspace(f.CLI, config)
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	objects := f.Managed()
	for _, before := range configMaps {
		objects = append(objects, f.Get("ConfigMap", before.GetNamespace(), before.GetName()))
	}
	state, err := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"state.json": string(state), "objects.yaml": f.Record(objects)} {
		if err := os.WriteFile(filepath.Join(states, folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w.Expect(0, acctest.Destroy)
}

func stateText(t *testing.T, folder, name string) string {
	t.Helper()
	text, ok := optionalText(t, folder, name)
	if !ok {
		t.Fatalf("%s/%s/%s is not there: CONTRIBUTING.md says how it is made", states, folder, name)
	}
	return text
}

func optionalText(t *testing.T, folder, name string) (string, bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(states, folder, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text), err == nil
}
