package command

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/meshegress/terraform-provider-istio/internal/adopt"
)

// The tests below change the objects of every case in every place, one after
// the other: nothing that they say may go unnoticed.

// unread are the places of which a rule in the package documentation of
// internal/adopt says that they may be anything.
var unread = regexp.MustCompile(`^[A-Za-z]+ (` + strings.Join([]string{
	`\S+ status\b`,
	`\S+ apiVersion$`,
	// Nothing goes through these.
	`shop/reviews\b`,
	// Words between people and tools.
	`\S+ metadata\.(labels|annotations)\b`,
	// What finds the pods, and what injection fills in.
	`gateways/egress-proxy spec\.(selector\b.*|template\.metadata\.labels|template\.spec\.containers\[0\])$`,
	// The order in which equal objects win.
	`\S+ metadata\.creationTimestamp$`,
}, "|") + `)`)

// unchanging are values that can be others without another result: names that
// only hold things together, and what has one meaning whatever it says.
var unchanging = regexp.MustCompile(strings.Join([]string{
	`^Gateway \S+ spec\.servers\[\d+\]\.(port\.)?name$`,
	`^DestinationRule \S+ spec\..*loadBalancer\.simple$`,
	`^VirtualService \S+ spec\..*\.weight$`,
	`^(Service|Deployment) \S+ spec\.(ports\[\d+\]\.name|selector|template\.metadata|template\.spec\.containers\[\d+\]\.image)\b`,
	`^ConfigMap \S+ data\.`,
	// Of a VirtualService that stays.
	`^VirtualService default/httpbin-ext spec\.http\[0\]\.timeout$`,
	// Any of the server's hosts does, and there is a wildcard; the other is left out.
	`^DestinationRule gateways/egress-proxy spec\.trafficPolicy\.tls\.sni$`,
	// Only shown, or of a port that is left out.
	`^DestinationRule \S+ metadata\.name$`,
	`^ServiceEntry \S+ spec\.ports\[\d+\]\.name$`,
}, "|"))

// labels are maps in which every key is known: another one selects others.
var labels = regexp.MustCompile(`\.(selector|matchLabels|sourceLabels)$`)

// outcome is all that adopt says, in one text.
func outcome(nodes []*yaml.Node, options adopt.Options) string {
	result := adopt.Adopt(nodes, options)
	var text strings.Builder
	for _, d := range render(result) {
		text.Write(d.text)
	}
	for _, finding := range result.Findings {
		fmt.Fprintln(&text, finding.Effect, finding)
	}
	return text.String()
}

func eachCase(t *testing.T, test func(t *testing.T, nodes []*yaml.Node, options adopt.Options)) {
	for _, name := range cases(t) {
		if name == "refused" || name == "guards" {
			continue // what is left out for one value is left out whatever the others are
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := parse(append(flagsOf(t, name), "-f", "-"), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			nodes, err := objects([]byte(read(t, name+".in.yaml")))
			if err != nil {
				t.Fatal(err)
			}
			for _, node := range nodes {
				withoutLines(node)
			}
			test(t, nodes, o.Options)
		})
	}
}

// TestUnknownFieldsAreNamed puts a field that nobody knows into every object.
func TestUnknownFieldsAreNamed(t *testing.T) {
	eachCase(t, func(t *testing.T, nodes []*yaml.Node, options adopt.Options) {
		want := outcome(nodes, options)
		for _, object := range nodes {
			walk(object, func(path string, node *yaml.Node) {
				place := place(object, path)
				if node.Kind != yaml.MappingNode || unread.MatchString(place) || strings.HasPrefix(place, "Sidecar ") || strings.HasPrefix(place, "ConfigMap ") {
					return
				}
				before := node.Content
				node.Content = append(append([]*yaml.Node{}, before...),
					&yaml.Node{Kind: yaml.ScalarNode, Value: "unheardOf"}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "x"})
				got := outcome(nodes, options)
				if !strings.Contains(got, "unheardOf") && !(labels.MatchString(place) && got != want) {
					t.Errorf("%s.unheardOf went unnoticed", place)
				}
				node.Content = before
			})
		}
	})
}

// TestEveryValueCounts changes every value: the outcome has to be another one.
func TestEveryValueCounts(t *testing.T) {
	eachCase(t, func(t *testing.T, nodes []*yaml.Node, options adopt.Options) {
		want := outcome(nodes, options)
		for _, object := range nodes {
			walk(object, func(path string, node *yaml.Node) {
				place := place(object, path)
				if node.Kind != yaml.ScalarNode || unread.MatchString(place) || unchanging.MatchString(place) || isLeftOut(t, place) {
					return
				}
				before := node.Value
				switch node.ShortTag() {
				case "!!int":
					number, _ := strconv.Atoi(before)
					node.Value = strconv.Itoa(number + 1)
				case "!!bool":
					node.Value = strconv.FormatBool(before != "true")
				default:
					node.Value = "else" + before
				}
				if outcome(nodes, options) == want {
					t.Errorf("%s: %q is as good as %q", place, node.Value, before)
				}
				node.Value = before
			})
		}
	})
}

// place is "Kind namespace/name path".
func place(object *yaml.Node, path string) string {
	var head struct {
		Kind     string
		Metadata struct{ Name, Namespace string }
	}
	_ = object.Decode(&head) // it is an object, or the case would not be read
	if head.Metadata.Namespace == "" {
		head.Metadata.Namespace = "default"
	}
	return fmt.Sprintf("%s %s/%s %s", head.Kind, head.Metadata.Namespace, head.Metadata.Name, path)
}

// walk calls visit for every value of an object.
func walk(object *yaml.Node, visit func(path string, node *yaml.Node)) {
	var descend func(node *yaml.Node, path string)
	descend = func(node *yaml.Node, path string) {
		visit(path, node)
		switch node.Kind {
		case yaml.MappingNode:
			for i := 0; i < len(node.Content); i += 2 {
				descend(node.Content[i+1], strings.TrimPrefix(path+"."+node.Content[i].Value, "."))
			}
		case yaml.SequenceNode:
			for i, element := range node.Content {
				descend(element, fmt.Sprintf("%s[%d]", path, i))
			}
		}
	}
	descend(object, "")
}

// leftOutIn are values of what a case leaves out, with the reason beside them.
var leftOutIn = map[string]*regexp.Regexp{
	"gateway-mtls-origination-files": regexp.MustCompile(`\.tls\.sni$`),
}

func isLeftOut(t *testing.T, place string) bool {
	pattern := leftOutIn[t.Name()[strings.Index(t.Name(), "/")+1:]]
	return pattern != nil && pattern.MatchString(place)
}
