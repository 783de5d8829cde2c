package meshconfig

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// document draws a mesh config line by line: what a chart renders, what people
// put into it, and what generators make of it.
func document(t *rapid.T) string {
	newline := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "newline")
	filler := rapid.SampledFrom([]string{
		"# a comment: with {odd} \"things'", "", "   ", "trustDomain: cluster.local",
		"accessLogFile: \"/dev/\\\"std\\\"out\"", "a: '\tit''s # not a comment'", "b: &anchor {x: 1}", "c: *anchor",
		"defaultConfig:\n  proxyMetadata:\n    # deep\n    ISTIO_META_DNS_CAPTURE: \"true\"",
		"d: |\n  outboundTrafficPolicy:\n    mode: ALLOW_ANY\n", "e: >-\n  folded\n  text", "f: [1, 2, {mode: REGISTRY_ONLY}]",
		"g: é𝄞 plain", "h:\n- mode: ALLOW_ANY\n- x", "\"i\": {j: \"}\"}",
		"inboundTrafficPolicy:\n  mode: LOCALHOST", "extensionProviders:\n- name: envoy\n  envoyOtelAls: {port: 4317}", "k: {}", "l:",
	})
	policy := rapid.SampledFrom([]string{
		"", "", "outboundTrafficPolicy: {}", "outboundTrafficPolicy: null", "outboundTrafficPolicy:",
		"outboundTrafficPolicy:\n  mode: ALLOW_ANY", "outboundTrafficPolicy:\n  # why\n  mode: REGISTRY_ONLY # beside",
		"outboundTrafficPolicy: {mode: \"ALLOW_ANY\"}", "outboundTrafficPolicy: { mode: REGISTRY_ONLY , tls: {mode: SIMPLE} }",
		"outboundTrafficPolicy:\n    tls:\n      mode: SIMPLE\n    mode: ALLOW_ANY_DYNAMIC_DNS", "outboundTrafficPolicy:\n  mode: BOGUS",
		"outboundTrafficPolicy: &p\n  mode: ALLOW_ANY", "outbound_traffic_policy:\n  mode: 1", "outboundTrafficPolicy:\n  mode:",
	}).Draw(t, "policy")
	lines := rapid.SliceOfNDistinct(filler, 0, 8, rapid.ID[string]).Draw(t, "lines")
	at := rapid.IntRange(0, len(lines)).Draw(t, "at")
	if policy != "" {
		lines = append(lines[:at:at], append([]string{policy}, lines[at:]...)...)
	}
	if rapid.Bool().Draw(t, "marker") {
		lines = append([]string{"---"}, lines...)
	}
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "\n", newline)
	if rapid.Bool().Draw(t, "end") {
		text += newline
	}
	return text
}

// Whatever the text, a mode is set and nothing else is changed: no other byte,
// and no other value as istiod reads it. What is refused comes back as an error.
func TestSetChangesOneSpan(t *testing.T) {
	refused, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := document(t)
		mode := rapid.SampledFrom([]string{AllowAny, RegistryOnly}).Draw(t, "mode")
		before, err := decode(text)
		if err != nil {
			return // c before b, for example
		}
		all++
		set, err := Set(text, mode)
		if errors.Is(err, ErrNoPlace) {
			refused++
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		after, err := Parse(set)
		if err != nil || after.OutboundMode != mode {
			t.Fatalf("mode is %q, %v:\n%s", after.OutboundMode, err, set)
		}
		if err := oneSpan(text, set, mode); err != nil {
			t.Fatalf("%v\nfrom %q\nto   %q", err, text, set)
		}
		tree, _ := decode(set)
		if !reflect.DeepEqual(others(before), others(tree)) {
			t.Fatalf("other fields changed:\nfrom %v\nto   %v", before, tree)
		}
		if err := restored(text, set, before); err != nil {
			t.Fatal(err)
		}
	})
	if all == 0 || refused*10 > all {
		t.Errorf("%d of %d edits were refused", refused, all)
	}
}

// oneSpan fails unless the texts are equal but for one span, which on the new
// side is a spelling of the field.
func oneSpan(before, after, mode string) error {
	start := 0
	for start < min(len(before), len(after)) && before[start] == after[start] {
		start++
	}
	end := 0
	for end < min(len(before), len(after))-start && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	gone, come := before[start:len(before)-end], after[start:len(after)-end]
	if len(gone) > len(AllowAnyDynamicDNS) || len(come) > len("\r\noutboundTrafficPolicy:\r\n      mode: \r\n")+len(mode) {
		return fmt.Errorf("%q became %q", gone, come)
	}
	return nil
}

// restored puts back what was there.
func restored(text, set string, before map[string]any) error {
	previous, err := modeOf(before)
	if err != nil {
		return err
	}
	var back string
	if previous == "" {
		back, err = Remove(set)
		if err == nil && before[fieldName] == nil && !strings.Contains(text, "\n"+fieldName+":") && !strings.HasPrefix(text, fieldName+":") && back != text {
			return fmt.Errorf("absent is not restored:\nwas %q\nis  %q", text, back)
		}
	} else {
		back, err = Set(set, previous)
	}
	if err != nil {
		return fmt.Errorf("restoring %q: %w\n%s", previous, err, set)
	}
	if config, err := Parse(back); err != nil || config.OutboundMode != previous {
		return fmt.Errorf("restored to %q, not %q (%w)", config.OutboundMode, previous, err)
	}
	if strings.Contains(back, fieldName+": {}") && !strings.Contains(text, fieldName+": {}") {
		return fmt.Errorf("an empty policy, which means REGISTRY_ONLY: %q", back)
	}
	tree, err := decode(back)
	if err == nil && !reflect.DeepEqual(others(tree), others(before)) {
		return fmt.Errorf("restoring changed other fields: %q", back)
	}
	return err
}

// others returns the fields but the mode.
func others(tree map[string]any) map[string]any {
	rest := map[string]any{}
	for name, value := range tree {
		if name != fieldName && name != protoName {
			rest[name] = value
			continue
		}
		if policy, ok := value.(map[string]any); ok {
			for field, v := range policy {
				if field != modeName {
					rest[name+"."+field] = v
				}
			}
		}
	}
	return rest
}

// Any bytes at all: an error or a right answer, and no panic.
func FuzzSet(f *testing.F) {
	for _, c := range odd {
		f.Add(c.text, true)
	}
	f.Fuzz(func(t *testing.T, text string, open bool) {
		mode := RegistryOnly
		if open {
			mode = AllowAny
		}
		set, err := Set(text, mode)
		if err != nil {
			return
		}
		if config, err := Parse(set); err != nil || config.OutboundMode != mode {
			t.Errorf("%q became %q: %+v, %v", text, set, config, err)
		}
		_, _ = Remove(set)
	})
}
