package workload

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/compiletest"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

var update = flag.Bool("update", false, "write the golden files anew")

var testMesh = compile.Mesh{RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local"}

// load reads an intent: what the file says over the defaults.
func load(t *testing.T, file string) Gateway {
	t.Helper()
	g := Defaults()
	compiletest.Read(t, file, &g)
	return g
}

// TestGolden compares testdata/<case>.in.yaml with <case>.out.yaml.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no golden inputs: %v", err)
	}
	for _, input := range inputs {
		t.Run(strings.TrimSuffix(filepath.Base(input), ".in.yaml"), func(t *testing.T) {
			g := load(t, input)
			if problems := Validate(g, testMesh); len(problems) > 0 {
				t.Fatalf("invalid: %+v", problems)
			}
			objects := Objects(g, testMesh)
			sound(t, objects)
			got := print(t, objects)
			golden := strings.TrimSuffix(input, ".in.yaml") + ".out.yaml"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got), `go test -update` writes it anew:\n%s", golden, diff)
			}
		})
	}
}

func print(t *testing.T, objects []manifest.Object) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, object := range objects {
		body, err := yaml.Marshal(object.Body.Object)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n")
		text.Write(body)
	}
	return text.Bytes()
}

// sound checks what holds for every release.
func sound(t *testing.T, objects []manifest.Object) {
	t.Helper()
	keys, stage := map[string]bool{}, 0
	for _, object := range objects {
		if keys[object.Key] {
			t.Errorf("%s twice", object.Key)
		}
		keys[object.Key] = true
		if object.Stage < stage {
			t.Errorf("%s is listed after objects of a later stage", object.Key)
		}
		stage = object.Stage
		if want := object.ID().String(); object.Key != want {
			t.Errorf("key %s of %s", object.Key, want)
		}
		if _, ok := object.Body.Object["status"]; ok {
			t.Errorf("%s has a status", object.Key)
		}
		noNulls(t, object.Key, object.Body.Object)
		// The engine copies bodies; this panics on what is no JSON value.
		object.Body.DeepCopy()
	}
}

// noNulls fails on nulls, which server-side apply refuses in custom resources.
func noNulls(t *testing.T, path string, value any) {
	t.Helper()
	switch value := value.(type) {
	case nil:
		t.Errorf("%s is null", path)
	case map[string]any:
		for key, v := range value {
			noNulls(t, path+"."+key, v)
		}
	case []any:
		for _, v := range value {
			noNulls(t, path+"[]", v)
		}
	}
}

func TestReplicasAreLeftToTheAutoscaler(t *testing.T) {
	g := Defaults()
	g.Name, g.Replicas, g.Autoscaling = "a", ptr[int64](3), &Autoscaling{MaxReplicas: 5}
	for _, object := range Objects(g, testMesh) {
		spec, _ := object.Body.Object["spec"].(map[string]any)
		if _, ok := spec["replicas"]; ok {
			t.Errorf("%s sends replicas", object.Key)
		}
	}
}

func TestRevision(t *testing.T) {
	mesh := testMesh
	mesh.Revision = "from-provider"
	for name, test := range map[string]struct {
		own  *string
		want string
	}{
		"of the provider":      {nil, "from-provider"},
		"of the resource wins": {ptr("own"), "own"},
	} {
		t.Run(name, func(t *testing.T) {
			g := Defaults()
			g.Name, g.Revision = "a", test.own
			if got := Reference(g, mesh).Revision; got == nil || *got != test.want {
				t.Errorf("reference: %v", got)
			}
			for _, object := range Objects(g, mesh) {
				if got := object.Body.GetLabels()[compile.LabelRevision]; got != test.want {
					t.Errorf("%s has revision %q", object.Key, got)
				}
			}
		})
	}
	g := Defaults()
	if Reference(g, testMesh).Revision != nil {
		t.Error("a revision out of nowhere")
	}
}

// TestQuantitiesByValue: other spellings of the same values are the same
// objects but for the intent that stands on the Service.
func TestQuantitiesByValue(t *testing.T) {
	render := func(cpu, memory string) map[string]string {
		g := Defaults()
		g.Name = "a"
		g.Resources = &Resources{Requests: map[string]string{"cpu": cpu, "memory": memory}}
		values := map[string]string{}
		for _, object := range Objects(g, testMesh) {
			if object.Body.GetKind() != KindService.Kind {
				values[object.Key] = manifest.DetailFull.Render(object.Body)
			}
		}
		return values
	}
	if diff := cmp.Diff(render("0.1", "1Gi"), render("100m", "1024Mi")); diff != "" {
		t.Error(diff)
	}
}

// TestIntentSurvives: whatever the configuration said, import reads it back,
// null and empty told apart.
func TestIntentSurvives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := rapid.Make[Gateway]().Draw(rt, "gateway")
		text, err := json.Marshal(g)
		if err != nil {
			rt.Fatal(err)
		}
		got, ok, err := Intent(map[string]string{compile.AnnotationSpec: string(text)})
		if err != nil || !ok {
			rt.Fatalf("ok %v: %v", ok, err)
		}
		if diff := cmp.Diff(g, got); diff != "" {
			rt.Fatalf("(-want +got)\n%s", diff)
		}
	})
	if _, ok, err := Intent(nil); ok || err != nil {
		t.Errorf("intent out of nowhere: %v", err)
	}
	if _, ok, err := Intent(map[string]string{compile.AnnotationSpec: "{"}); !ok || err == nil {
		t.Error("broken intent was read")
	}
}

// TestTags: an attribute has the same name in Terraform and in the
// annotation, and what may be left out is left out.
func TestTags(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			field := typ.Field(i)
			name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != field.Tag.Get("tfsdk") {
				t.Errorf("%s.%s: json %q, tfsdk %q", typ, field.Name, name, field.Tag.Get("tfsdk"))
			}
			if field.Type.Kind() == reflect.Pointer && option != "omitzero" {
				t.Errorf("%s.%s may be nil: omitzero", typ, field.Name)
			}
			walk(field.Type)
		}
	}
	walk(reflect.TypeFor[Gateway]())
}
