package command

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/meshegress/terraform-provider-istio/internal/adopt"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/outbound"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// The resources, and the file that has each of them with -o.
const (
	gatewayType  = "istio_egress_gateway"
	policyType   = "istio_egress_traffic_policy"
	outboundType = "istio_outbound_traffic_policy"

	gatewaysFile = "egress_gateways.tf"
	policiesFile = "egress_policies.tf"
	outboundFile = "outbound_traffic.tf"
)

// document is one file of configuration.
type document struct {
	name string
	text []byte
}

// render writes intents as Terraform does. What is a resource's default is
// left out.
func render(result adopt.Result) []document {
	labels := map[string]string{} // of gateways, by namespace/name
	gateways, policies, modes := newWriter(), newWriter(), newWriter()
	for _, g := range result.Gateways {
		body, label := gateways.resource(gatewayType, g.Intent.Name, "Takes the place of", g.InPlaceOf)
		labels[g.Intent.Namespace+"/"+g.Intent.Name] = label
		defaults := workload.Defaults()
		defaults.Namespace = ""
		write(body, g.Intent, defaults, nil)
	}
	for _, p := range result.Policies {
		body, _ := policies.resource(policyType, p.Intent.Name, "Takes the place of", p.InPlaceOf)
		write(body, p.Intent, policy.Policy{UnselectedWorkloads: policy.Deny}, func(value any) hclwrite.Tokens {
			if reference, ok := value.(*compile.Reference); ok {
				return hclwrite.TokensForTraversal(hcl.Traversal{
					hcl.TraverseRoot{Name: gatewayType}, hcl.TraverseAttr{Name: labels[reference.Namespace+"/"+reference.Name]}, hcl.TraverseAttr{Name: "reference"},
				})
			}
			return nil
		})
	}
	for _, o := range result.Outbound {
		body, _ := modes.resource(outboundType, outboundName(o.Intent), "Says what is said in", []string{o.From})
		write(body, o.Intent, nil, nil)
	}
	var documents []document
	for _, d := range []struct {
		name   string
		writer *writer
	}{{gatewaysFile, gateways}, {policiesFile, policies}, {outboundFile, modes}} {
		if len(d.writer.labels) > 0 {
			documents = append(documents, document{d.name, hclwrite.Format(d.writer.file.Bytes())})
		}
	}
	return documents
}

// outboundName names a policy by its scope.
func outboundName(p outbound.Policy) string {
	switch {
	case p.Namespace != nil:
		return *p.Namespace
	case p.Revision != nil:
		return "mesh-" + *p.Revision
	}
	return "mesh"
}

// writer writes the resources of one file.
type writer struct {
	file   *hclwrite.File
	labels map[string]bool
}

func newWriter() *writer { return &writer{hclwrite.NewEmptyFile(), map[string]bool{}} }

// resource begins a resource, under a comment, and returns its label.
func (w *writer) resource(kind, name, comment string, objects []string) (*hclwrite.Body, string) {
	label := identifier(name)
	for i := 2; w.labels[label]; i++ {
		label = fmt.Sprintf("%s_%d", identifier(name), i)
	}
	body := w.file.Body()
	if len(w.labels) > 0 {
		body.AppendNewline()
	}
	w.labels[label] = true
	if len(objects) > 0 {
		text := "# " + comment + ":\n"
		for _, object := range objects {
			text += "#   " + object + "\n"
		}
		body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte(text)}})
	}
	return body.AppendNewBlock("resource", []string{kind, label}).Body(), label
}

// identifier writes a name as Terraform's labels are written.
func identifier(name string) string {
	label := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
	if label == "" || label[0] >= '0' && label[0] <= '9' {
		label = "_" + label
	}
	return label
}

// write sets the attributes of an intent that differ from those of defaults, a
// struct of the same type or nil. special may write a value in its own way.
func write(body *hclwrite.Body, intent, defaults any, special func(any) hclwrite.Tokens) {
	value := reflect.ValueOf(intent)
	for i := range value.NumField() {
		name, field := value.Type().Field(i).Tag.Get("tfsdk"), value.Field(i)
		if defaults != nil && reflect.DeepEqual(field.Interface(), reflect.ValueOf(defaults).Field(i).Interface()) {
			continue
		}
		if special != nil {
			if tokens := special(field.Interface()); tokens != nil && !field.IsNil() {
				body.SetAttributeRaw(name, tokens)
				continue
			}
		}
		if tokens := tokens(field); tokens != nil {
			body.SetAttributeRaw(name, tokens)
		}
	}
}

// tokens writes a value; nil for one that the configuration leaves out.
func tokens(value reflect.Value) hclwrite.Tokens {
	switch value.Kind() {
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		return tokens(value.Elem())
	case reflect.Slice:
		if value.Len() == 0 {
			return nil
		}
		var elements []hclwrite.Tokens
		for i := range value.Len() {
			elements = append(elements, tokens(value.Index(i)))
		}
		return tuple(elements)
	case reflect.Map:
		// An empty map may say something: no label is every workload.
		if value.IsNil() {
			return nil
		}
		return mapTokens(value)
	case reflect.Struct:
		var attributes []hclwrite.ObjectAttrTokens
		for i := range value.NumField() {
			if written := tokens(value.Field(i)); written != nil {
				attributes = append(attributes, hclwrite.ObjectAttrTokens{Name: hclwrite.TokensForIdentifier(value.Type().Field(i).Tag.Get("tfsdk")), Value: written})
			}
		}
		return object(attributes)
	case reflect.String:
		return hclwrite.TokensForValue(cty.StringVal(value.String()))
	case reflect.Bool:
		return hclwrite.TokensForValue(cty.BoolVal(value.Bool()))
	case reflect.Int64:
		return hclwrite.TokensForValue(cty.NumberIntVal(value.Int()))
	}
	panic("adopt: no such kind of attribute: " + value.Kind().String())
}

// mapTokens writes a map of strings. Keys that are no identifiers are quoted.
func mapTokens(value reflect.Value) hclwrite.Tokens {
	var attributes []hclwrite.ObjectAttrTokens
	keys := value.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		name := hclwrite.TokensForValue(cty.StringVal(key.String()))
		if hclsyntax.ValidIdentifier(key.String()) {
			name = hclwrite.TokensForIdentifier(key.String())
		}
		attributes = append(attributes, hclwrite.ObjectAttrTokens{Name: name, Value: tokens(value.MapIndex(key))})
	}
	return object(attributes)
}

// maxInline is the length to which an object is written on one line, as it is
// in the examples.
const maxInline = 110

// object writes attributes on one line where that is short.
func object(attributes []hclwrite.ObjectAttrTokens) hclwrite.Tokens {
	inline := hclwrite.Tokens{punctuation(hclsyntax.TokenOBrace, "{")}
	for i, a := range attributes {
		if i > 0 {
			inline = append(inline, punctuation(hclsyntax.TokenComma, ","))
		}
		inline = append(inline, a.Name...)
		inline = append(inline, punctuation(hclsyntax.TokenEqual, "="))
		inline = append(inline, a.Value...)
	}
	inline = append(inline, punctuation(hclsyntax.TokenCBrace, "}"))
	if text := hclwrite.Format(inline.Bytes()); len(text) <= maxInline && !bytes.ContainsRune(text, '\n') {
		return inline
	}
	return hclwrite.TokensForObject(attributes)
}

// tuple writes elements, each on lines of its own where several are long.
func tuple(elements []hclwrite.Tokens) hclwrite.Tokens {
	long := slices.ContainsFunc(elements, func(element hclwrite.Tokens) bool { return bytes.ContainsRune(element.Bytes(), '\n') })
	if len(elements) == 1 || !long && len(hclwrite.TokensForTuple(elements).Bytes()) <= maxInline {
		return hclwrite.TokensForTuple(elements)
	}
	newline := punctuation(hclsyntax.TokenNewline, "\n")
	lines := hclwrite.Tokens{punctuation(hclsyntax.TokenOBrack, "["), newline}
	for _, element := range elements {
		lines = append(lines, element...)
		lines = append(lines, punctuation(hclsyntax.TokenComma, ","), newline)
	}
	return append(lines, punctuation(hclsyntax.TokenCBrack, "]"))
}

func punctuation(kind hclsyntax.TokenType, text string) *hclwrite.Token {
	return &hclwrite.Token{Type: kind, Bytes: []byte(text)}
}
