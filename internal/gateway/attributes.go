package gateway

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/meshegress/terraform-provider-istio/internal/check"
	"github.com/meshegress/terraform-provider-istio/internal/compile/workload"
)

// The attributes below are optional and have no default in the schema: null
// is what the description says it is.

func optionalString(description string, checks ...check.Of[string]) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: validators(checks, check.String)}
}

func requiredString(description string, checks ...check.Of[string]) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Required: true, Validators: validators(checks, check.String)}
}

func oneOf(description string, allowed []string) schema.StringAttribute {
	return optionalString(description+" One of "+oneOfText(allowed)+".", workload.CheckOneOf(allowed))
}

func requiredOneOf(description string, allowed []string) schema.StringAttribute {
	return requiredString(description+" One of "+oneOfText(allowed)+".", workload.CheckOneOf(allowed))
}

// oneOfText lists values as the registry page shows them.
func oneOfText(allowed []string) string {
	text := ""
	for i, value := range allowed {
		switch {
		case i > 0 && i == len(allowed)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += "`" + value + "`"
	}
	return text
}

func optionalInt(description string, checks ...check.Of[int64]) schema.Int64Attribute {
	return schema.Int64Attribute{MarkdownDescription: description, Optional: true, Validators: validators(checks, check.Int64)}
}

func requiredInt(description string, checks ...check.Of[int64]) schema.Int64Attribute {
	return schema.Int64Attribute{MarkdownDescription: description, Required: true, Validators: validators(checks, check.Int64)}
}

func optionalBool(description string) schema.BoolAttribute {
	return schema.BoolAttribute{MarkdownDescription: description, Optional: true}
}

func optionalMap(description string, checks ...check.Of[map[string]string]) schema.MapAttribute {
	return schema.MapAttribute{
		MarkdownDescription: description,
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          mapChecks(checks),
	}
}

func optionalList(description string, checks ...check.Of[string]) schema.ListAttribute {
	return schema.ListAttribute{
		MarkdownDescription: description,
		ElementType:         types.StringType,
		Optional:            true,
		Validators:          listChecks(checks),
	}
}

func requiredList(description string, checks ...check.Of[string]) schema.ListAttribute {
	return schema.ListAttribute{
		MarkdownDescription: description,
		ElementType:         types.StringType,
		Required:            true,
		Validators:          listChecks(checks),
	}
}

func optionalObject(description string, attributes map[string]schema.Attribute) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{MarkdownDescription: description, Optional: true, Attributes: attributes}
}

func requiredObject(description string, attributes map[string]schema.Attribute) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{MarkdownDescription: description, Required: true, Attributes: attributes}
}

func optionalObjects(description string, attributes map[string]schema.Attribute) schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		MarkdownDescription: description,
		Optional:            true,
		NestedObject:        schema.NestedAttributeObject{Attributes: attributes},
		Validators:          []validator.List{listvalidator.NoNullValues()},
	}
}

func requiredObjects(description string, attributes map[string]schema.Attribute) schema.ListNestedAttribute {
	objects := optionalObjects(description, attributes)
	objects.Optional, objects.Required = false, true
	return objects
}

func computedString(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}

func computedMap(description string) schema.MapAttribute {
	return schema.MapAttribute{MarkdownDescription: description, ElementType: types.StringType, Computed: true}
}

// validators puts checks on an attribute.
func validators[C, V any](checks []C, on func(C) V) []V {
	var all []V
	for _, c := range checks {
		all = append(all, on(c))
	}
	return all
}

func listChecks(checks []check.Of[string]) []validator.List {
	all := []validator.List{listvalidator.NoNullValues()}
	for _, v := range validators(checks, check.String) {
		all = append(all, listvalidator.ValueStringsAre(v))
	}
	return all
}

func mapChecks(checks []check.Of[map[string]string]) []validator.Map {
	return append([]validator.Map{mapvalidator.NoNullValues()}, validators(checks, check.Map)...)
}
