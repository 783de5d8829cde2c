package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Start makes the provider's server, as starting its process does.
type Start func() (tfprotov6.ProviderServer, error)

// process is one configured provider process.
type process struct {
	wire    tfprotov6.ProviderServer
	schemas map[string]*tfprotov6.Schema
}

// Diagnostic is one of the provider's, or one of core's own.
type Diagnostic struct {
	Error           bool
	Summary, Detail string
}

func (d Diagnostic) String() string {
	kind := "Warning"
	if d.Error {
		kind = "Error"
	}
	return kind + ": " + d.Summary + "\n" + d.Detail
}

// Diagnostics are those of one run.
type Diagnostics []Diagnostic

// Errors returns the errors among them.
func (d Diagnostics) Errors() Diagnostics {
	var found Diagnostics
	for _, diagnostic := range d {
		if diagnostic.Error {
			found = append(found, diagnostic)
		}
	}
	return found
}

func (d Diagnostics) String() string {
	texts := make([]string, len(d))
	for i, diagnostic := range d {
		texts[i] = diagnostic.String()
	}
	return strings.Join(texts, "\n---\n")
}

func failure(summary, detail string) Diagnostics {
	return Diagnostics{{Error: true, Summary: summary, Detail: detail}}
}

func plain(wire []*tfprotov6.Diagnostic, err error) Diagnostics {
	var diags Diagnostics
	for _, d := range wire {
		diags = append(diags, Diagnostic{d.Severity == tfprotov6.DiagnosticSeverityError, d.Summary, d.Detail})
	}
	if err != nil {
		diags = append(diags, failure("the provider's server failed", err.Error())...)
	}
	return diags
}

// start starts and configures a provider process.
func (w *Workspace) start(ctx context.Context) (*process, Diagnostics) {
	wire, err := w.Start()
	if err != nil {
		return nil, failure("the provider did not start", err.Error())
	}
	schema, err := schemaOnce(ctx, wire)
	if err != nil {
		return nil, failure("the provider has no schema", err.Error())
	}
	p := &process{wire: wire, schemas: schema.ResourceSchemas}
	config := maps.Clone(w.Provider)
	for _, block := range schema.Provider.Block.BlockTypes {
		if config[block.TypeName] == nil {
			config[block.TypeName] = []any{}
		}
	}
	value, err := encode(schema.Provider.ValueType(), config)
	if err != nil {
		return nil, failure("the provider block is wrong", err.Error())
	}
	encoded, err := tfprotov6.NewDynamicValue(value.Type(), value)
	if err != nil {
		return nil, failure("the provider block is wrong", err.Error())
	}
	resp, err := wire.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{Config: &encoded})
	if resp == nil {
		return nil, plain(nil, errors.Join(err, errors.New("no answer to ConfigureProvider")))
	}
	return p, plain(resp.Diagnostics, err)
}

// schemas is the answer of the first process: core, too, asks once for a
// provider (hashicorp/terraform internal/providers/schema_cache.go).
var schemas struct {
	sync.Mutex
	answer *tfprotov6.GetProviderSchemaResponse
}

func schemaOnce(ctx context.Context, wire tfprotov6.ProviderServer) (*tfprotov6.GetProviderSchemaResponse, error) {
	schemas.Lock()
	defer schemas.Unlock()
	if schemas.answer != nil {
		return schemas.answer, nil
	}
	answer, err := wire.GetProviderSchema(context.WithoutCancel(ctx), &tfprotov6.GetProviderSchemaRequest{})
	if err == nil {
		schemas.answer = answer
	}
	return answer, err
}

// wire values of one resource type.
type kind struct {
	name   string
	typ    tftypes.Type
	schema *tfprotov6.Schema
}

func (p *process) kind(name string) (kind, error) {
	schema := p.schemas[name]
	if schema == nil {
		return kind{}, fmt.Errorf("there is no resource %q", name)
	}
	return kind{name, schema.ValueType(), schema}, nil
}

func (k kind) null() tftypes.Value { return tftypes.NewValue(k.typ, nil) }

func (k kind) wire(value tftypes.Value) *tfprotov6.DynamicValue {
	encoded, err := tfprotov6.NewDynamicValue(k.typ, value)
	if err != nil {
		panic(err) // the value has the type
	}
	return &encoded
}

func (k kind) unwire(value *tfprotov6.DynamicValue) tftypes.Value {
	if value == nil {
		return k.null()
	}
	decoded, err := value.Unmarshal(k.typ)
	if err != nil {
		panic(fmt.Sprintf("%s: the provider answered a value of another type: %v", k.name, err))
	}
	return decoded
}

// proposed is the configuration, with what was computed before where the
// configuration says nothing.
func (k kind) proposed(config, prior tftypes.Value) tftypes.Value {
	var attributes, before map[string]tftypes.Value
	if config.As(&attributes) != nil || prior.As(&before) != nil {
		return config
	}
	attributes = maps.Clone(attributes)
	for _, attribute := range k.schema.Block.Attributes {
		if attribute.Computed && attributes[attribute.Name].IsNull() && before[attribute.Name].Type() != nil {
			attributes[attribute.Name] = before[attribute.Name]
		}
	}
	return tftypes.NewValue(k.typ, attributes)
}
