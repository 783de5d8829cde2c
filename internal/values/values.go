package values

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Map is a map of strings; a nil map is an empty one.
func Map(elements map[string]string) types.Map {
	values := make(map[string]attr.Value, len(elements))
	for key, element := range elements {
		values[key] = types.StringValue(element)
	}
	return types.MapValueMust(types.StringType, values)
}

// Set is a set of strings; a nil slice is an empty one. The strings differ.
func Set(elements []string) types.Set {
	values := make([]attr.Value, len(elements))
	for i, element := range elements {
		values[i] = types.StringValue(element)
	}
	return types.SetValueMust(types.StringType, values)
}

// TextOrNull is a string; an empty one is null.
func TextOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

// Strings returns the known elements of a map of strings.
func Strings(m types.Map) map[string]string {
	elements := m.Elements()
	values := make(map[string]string, len(elements))
	for key, element := range elements {
		if s, ok := element.(types.String); ok && !s.IsNull() && !s.IsUnknown() {
			values[key] = s.ValueString()
		}
	}
	return values
}
