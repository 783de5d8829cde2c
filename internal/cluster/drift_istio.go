package cluster

import (
	"encoding/json"
	"reflect"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	networking "istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"
	telemetry "istio.io/api/telemetry/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// specs makes the message of each Istio kind's spec. The v1 kinds of
// istio.io/client-go use the messages of these packages.
var specs = map[string]func() proto.Message{
	"Gateway":             func() proto.Message { return &networking.Gateway{} },
	"VirtualService":      func() proto.Message { return &networking.VirtualService{} },
	"ServiceEntry":        func() proto.Message { return &networking.ServiceEntry{} },
	"DestinationRule":     func() proto.Message { return &networking.DestinationRule{} },
	"Sidecar":             func() proto.Message { return &networking.Sidecar{} },
	"AuthorizationPolicy": func() proto.Message { return &security.AuthorizationPolicy{} },
	"Telemetry":           func() proto.Message { return &telemetry.Telemetry{} },
}

// compareIstio compares the whole spec: Istio's CRDs have neither defaults
// nor conversion, so whatever is there and not desired was added by someone.
func compareIstio(desired, live *unstructured.Unstructured) comparison {
	owners := ownersOf(live)
	result := comparison{projected: desired.DeepCopy()}
	result.lines = compareMetadata(desired, live, result.projected, owners)

	have, want := live.Object["spec"], desired.Object["spec"]
	if reflect.DeepEqual(have, want) {
		return result // nearly always, and it spares the messages
	}
	makeSpec := specs[desired.GetKind()]
	differences := differ([]step{{field: "spec"}}, normal(makeSpec, have), normal(makeSpec, want))
	if len(differences) == 0 {
		return result
	}
	for _, d := range differences {
		// A zero value, REGISTRY_ONLY for one, is left out of the normal form.
		below := pathsOf(d.path[1:])[0]
		if d.have == nil {
			d.have = valueAt(have, below)
		}
		if d.want == nil {
			d.want = valueAt(want, below)
		}
		result.lines = append(result.lines, d.line(owners))
	}
	if have == nil {
		delete(result.projected.Object, "spec")
	} else {
		result.projected.Object["spec"] = have
	}
	result.cleaned = live.DeepCopy()
	if want == nil {
		delete(result.cleaned.Object, "spec")
	} else {
		result.cleaned.Object["spec"] = desired.DeepCopy().Object["spec"]
	}
	result.replaced = result.cleaned
	return result
}

// normal returns the spec as its message prints it: durations in one form,
// zero values left out, as generated JSON has it; with the keys that this
// version of the message does not know as they stand.
func normal(makeSpec func() proto.Message, spec any) any {
	if spec == nil {
		spec = map[string]any{}
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return spec
	}
	message := makeSpec()
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, message); err != nil {
		// A value of a later version of the API: compared as it stands.
		return plain(text)
	}
	printed, err := protojson.Marshal(message)
	if err != nil {
		return plain(text)
	}
	tree := plain(printed)
	keepUnknown(message.ProtoReflect().Descriptor(), plain(text), tree)
	return tree
}

// plain decodes JSON into the types of encoding/json, so that trees compare.
func plain(text []byte) any {
	var tree any
	_ = json.Unmarshal(text, &tree) // it was printed by this process
	return tree
}

// keepUnknown copies the keys that the message does not know from the raw
// tree into the printed one.
func keepUnknown(message protoreflect.MessageDescriptor, raw, printed any) {
	from, ok := raw.(map[string]any)
	if !ok || wellKnown(message) {
		return
	}
	to, ok := printed.(map[string]any)
	if !ok {
		return
	}
	for key, value := range from {
		field := message.Fields().ByJSONName(key)
		if field == nil {
			field = message.Fields().ByTextName(key)
		}
		if field == nil {
			to[key] = value
			continue
		}
		below := to[field.JSONName()]
		switch {
		case field.IsMap():
			keepUnknownInMap(field, value, below)
		case field.Message() == nil:
		case field.IsList():
			keepUnknownInList(field, value, below)
		default:
			keepUnknown(field.Message(), value, below)
		}
	}
}

func keepUnknownInMap(field protoreflect.FieldDescriptor, raw, printed any) {
	from, ok := raw.(map[string]any)
	to, ok2 := printed.(map[string]any)
	if !ok || !ok2 || field.MapValue().Message() == nil {
		return
	}
	for key := range from {
		keepUnknown(field.MapValue().Message(), from[key], to[key])
	}
}

func keepUnknownInList(field protoreflect.FieldDescriptor, raw, printed any) {
	from, ok := raw.([]any)
	to, ok2 := printed.([]any)
	if !ok || !ok2 || len(from) != len(to) {
		return
	}
	for i := range from {
		keepUnknown(field.Message(), from[i], to[i])
	}
}

// wellKnown reports messages whose JSON is not an object of their fields.
func wellKnown(message protoreflect.MessageDescriptor) bool {
	return message.ParentFile().Package() == "google.protobuf"
}
