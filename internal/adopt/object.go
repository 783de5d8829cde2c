package adopt

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// object is what all kinds have in common.
type object struct {
	kind, namespace, name string
	created               string // RFC 3339, which sorts by time; empty in files
	labels                map[string]string
	annotations           map[string]string
	// head has what is wrong with the object as a whole.
	head *part
	spec fields.Field
	// parts are all parts of the object, in the order in which they were read.
	parts []*part
	// egress is set once a way out goes through the object.
	egress bool
}

// part is a piece of an object that a way out goes through as a whole: a
// route, a match, a server, a port.
type part struct {
	*object

	at fields.Field
	// blocked says why nothing that goes through here can be expressed: what
	// it does not take for granted narrows, or leads elsewhere.
	blocked fields.Problems
	// lost are settings without a counterpart that do not decide who reaches
	// what.
	lost fields.Problems
	used bool
	// idle is why the part matters though nothing goes through it; empty if
	// it does not.
	idle string
}

// newPart begins a part at a field of the object. What is read from the part's
// field and is not understood blocks it.
func (o *object) newPart(f fields.Field, idle string) *part {
	p := &part{object: o, idle: idle}
	p.at = fields.Root(&p.blocked, f.Node, f.Path)
	o.parts = append(o.parts, p)
	return p
}

// lose takes a setting that no policy has, and that decides nothing about who
// reaches what.
func (p *part) lose(f fields.Field, why string) {
	if f.There() && !f.Zero() {
		p.lost = append(p.lost, fields.Problem{Path: f.Path, Line: f.Line(), Text: why})
	}
}

// id is "Kind namespace/name".
func (o *object) id() string { return fmt.Sprintf("%s %s/%s", o.kind, o.namespace, o.name) }

func (o *object) finding(effect Effect, p fields.Problem) Finding {
	return Finding{Effect: effect, Object: o.id(), Path: p.Path, Line: p.Line, Text: p.Text}
}

// older is the order in which Istio looks at objects of one kind
// (pkg/config/model, sortConfigByCreationTime).
func older(a, b *object) int {
	return slices.Compare([]string{a.created, a.name, a.namespace}, []string{b.created, b.name, b.namespace})
}

// readObject reads what all kinds have. Objects of this provider are nil.
func readObject(node *yaml.Node, defaultNamespace string) *object {
	o := &object{namespace: defaultNamespace}
	root := fields.Root(new(fields.Problems), node, "")
	o.kind = root.Peek("kind")
	o.head = o.newPart(root, "")
	top := o.head.at.Object()
	top.Ignore("apiVersion", "kind", "status")
	m := top.Take("metadata").Object()
	o.name = m.Take("name").RequiredText()
	if namespace := m.Take("namespace").NonEmpty(); namespace != nil {
		o.namespace = *namespace
	}
	if created := m.Take("creationTimestamp").Text(); created != nil {
		o.created = *created
	}
	o.labels = m.Take("labels").TextMap()
	o.annotations = m.Take("annotations").TextMap()
	for _, noun := range []string{"labels", "annotations"} {
		keys := m.Take(noun).Object()
		for _, key := range keys.Keys {
			if acts(key) {
				o.head.lose(keys.Take(key), "Istio acts on it, and no policy says it for you; compare with `revision` and with the labels that the plan shows")
			}
		}
	}
	m.Ignore(fields.Bookkeeping...)
	m.Done()
	o.spec = top.Take("spec")
	switch o.kind {
	case kindConfigMap:
		o.spec = top.Take("data")
		top.Ignore("binaryData", "immutable")
	}
	top.Done()
	return o
}

// acts reports whether Istio does something because of a label or annotation.
// All others are words between people and tools, and end with the object.
func acts(key string) bool {
	domain, _, _ := strings.Cut(key, "/")
	return (domain == "istio.io" || strings.HasSuffix(domain, ".istio.io")) && !fields.Tracked(key) &&
		!slices.Contains([]string{"operator.istio.io", "install.operator.istio.io"}, domain)
}

// ours reports whether this provider made the object.
func ours(node *yaml.Node) bool {
	root := fields.Root(new(fields.Problems), node, "")
	metadata, _ := root.Child("metadata")
	annotations, _ := metadata.Child("annotations")
	labels, _ := metadata.Child("labels")
	return annotations.Peek(compile.AnnotationOwner) != "" || labels.Peek(compile.LabelManagedBy) == compile.ProviderName
}

// exports is where an object is visible.
type exports struct {
	// all is set where every namespace sees it.
	all bool
	// to are the namespaces otherwise.
	to []string
}

// readExports reads exportTo. Without it the mesh config's default holds, and
// without that an object is visible everywhere.
func readExports(o *object, f fields.Field, otherwise []string) exports {
	list := f.Texts()
	if len(list) == 0 {
		list = otherwise
	}
	if len(list) == 0 {
		return exports{all: true}
	}
	var e exports
	for _, to := range list {
		switch to {
		case "*":
			e.all = true
		case ".":
			e.to = append(e.to, o.namespace)
		case "~":
		default:
			e.to = append(e.to, to)
		}
	}
	return e
}

func (e exports) visible(namespace string) bool { return e.all || slices.Contains(e.to, namespace) }

// private reports whether only one namespace sees the object.
func (e exports) private(namespace string) bool {
	return !e.all && len(e.to) == 1 && e.to[0] == namespace
}

func lower(all []string) []string {
	for i := range all {
		all[i] = strings.ToLower(all[i])
	}
	return all
}
