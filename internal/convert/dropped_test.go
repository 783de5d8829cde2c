package convert_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The tests below change a custom resource in every place, one after the
// other: nothing that it says may go unnoticed.

// unread matches the places that say nothing of the policy or gateway.
var unread = regexp.MustCompile(`^(status|metadata\.(managedFields|ownerReferences))\b`)

// unchanging matches values that can be others without another result: what
// the API server keeps for itself, what another field overrules, and what a
// mount of a Secret is anyway.
var unchanging = regexp.MustCompile(`^(status|metadata\.(managedFields|finalizers|uid|resourceVersion|generation|creationTimestamp)|` +
	`metadata\.annotations|spec\.deployment\.replicas\.count|spec\.deployment\.volumeMounts\[1\]\.readOnly)\b`)

// TestUnknownFieldsAreNamed puts a field that nobody knows into every object of
// every convertible custom resource.
func TestUnknownFieldsAreNamed(t *testing.T) {
	eachConvertible(t, func(t *testing.T, name string, root *yaml.Node) {
		tried := 0
		walk(custom(root), "", func(path string, node *yaml.Node) {
			if node.Kind != yaml.MappingNode || unread.MatchString(path) {
				return
			}
			tried++
			before := node.Content
			node.Content = append(append([]*yaml.Node{}, before...),
				&yaml.Node{Kind: yaml.ScalarNode, Value: "unheardOf"}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: "1"})
			_, err := convertAny(name, print(t, root))
			if err == nil {
				t.Errorf("%s.unheardOf went unnoticed", path)
			} else if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "line ") {
				t.Errorf("%s.unheardOf is not named: %v", path, err)
			}
			node.Content = before
		})
		if tried < 5 {
			t.Errorf("only %d objects", tried)
		}
	})
}

// TestEveryValueCounts changes every value: the result has to be another one,
// or an error.
func TestEveryValueCounts(t *testing.T) {
	eachConvertible(t, func(t *testing.T, name string, root *yaml.Node) {
		want, err := convertAny(name, print(t, root))
		if err != nil {
			t.Fatal(err)
		}
		walk(custom(root), "", func(path string, node *yaml.Node) {
			if node.Kind != yaml.ScalarNode || unchanging.MatchString(path) {
				return
			}
			before := node.Value
			switch node.ShortTag() {
			case "!!int":
				number, _ := strconv.Atoi(before)
				node.Value = strconv.Itoa(number + 1)
			case "!!bool":
				node.Value = strconv.FormatBool(before != "true")
			case "!!null":
				node.Tag, node.Value = "", "else"
			default:
				node.Value = "else" + before
			}
			changed := node.Value
			got, err := convertAny(name, print(t, root))
			if err == nil && reflect.DeepEqual(want, got) {
				t.Errorf("%s: %q is as good as %q", path, changed, before)
			}
			node.Value = before
			if before == "" {
				node.Tag = "!!null"
			}
		})
	})
}

func eachConvertible(t *testing.T, test func(t *testing.T, name string, root *yaml.Node)) {
	outputs, err := filepath.Glob("testdata/*.out.yaml")
	if err != nil || len(outputs) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, output := range outputs {
		name := strings.TrimSuffix(filepath.Base(output), ".out.yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + name + ".in.yaml")
			if err != nil {
				t.Fatal(err)
			}
			var root yaml.Node
			if err := yaml.Unmarshal(text, &root); err != nil {
				t.Fatal(err)
			}
			test(t, name, root.Content[0])
		})
	}
}

// custom returns the custom resource of a document, which may be a List.
func custom(root *yaml.Node) *yaml.Node {
	for i := 0; i < len(root.Content); i += 2 {
		if root.Content[i].Value == "items" {
			return root.Content[i+1].Content[0]
		}
	}
	return root
}

// walk calls visit for every value.
func walk(node *yaml.Node, path string, visit func(path string, node *yaml.Node)) {
	visit(path, node)
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			walk(node.Content[i+1], strings.TrimPrefix(path+"."+node.Content[i].Value, "."), visit)
		}
	case yaml.SequenceNode:
		for i, element := range node.Content {
			walk(element, fmt.Sprintf("%s[%d]", path, i), visit)
		}
	}
}

func print(t *testing.T, root *yaml.Node) string {
	t.Helper()
	text, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
