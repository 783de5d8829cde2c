package meshconfig

import (
	"errors"
	"strings"
	"testing"
)

// odd are mesh configs as charts, people and generators write them, with the
// mode that istiod reads, and the text after REGISTRY_ONLY or ALLOW_ANY
// (whichever it is not) is set.
var odd = map[string]struct {
	text, mode, set string
	// removed, if set, is what Remove makes of the text after Set; else that is
	// the text itself.
	removed string
}{
	"empty":           {"", "", "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", ""},
	"only a comment":  {"# nothing\n", "", "# nothing\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", ""},
	"only a marker":   {"---\n", "", "---\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", ""},
	"null":            {"null\n", "", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n", "-"},
	"empty flow":      {"{}\n", "", "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n", ""},
	"no line break":   {"a: b", "", "a: b\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY", ""},
	"CRLF":            {"a: b\r\nc: d\r\n", "", "a: b\r\nc: d\r\noutboundTrafficPolicy:\r\n  mode: REGISTRY_ONLY\r\n", ""},
	"indented":        {"  a: b\n  c: d\n", "", "  a: b\n  c: d\n  outboundTrafficPolicy:\n    mode: REGISTRY_ONLY\n", ""},
	"literal at end":  {"a: |\n  x", "", "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\na: |\n  x", ""},
	"kept line break": {"a: |+\n  x\n\n", "", "a: |+\n  x\n\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", ""},
	"document end":    {"a: b\n...\n", "", "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\na: b\n...\n", ""},
	"two documents":   {"a: b\n---\na: c\n", "", "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\na: b\n---\na: c\n", ""},
	"second document": {"a: b\n---\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n", "",
		"outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\na: b\n---\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n", ""},
	"JSON":           {`{"a": "b"}`, "", `{"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "a": "b"}`, ""},
	"flow root":      {"{a: b}\n", "", "{outboundTrafficPolicy: {mode: REGISTRY_ONLY}, a: b}\n", ""},
	"byte order":     {"\uFEFFa: b\n", "", "\uFEFFa: b\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", ""},
	"line separator": {"a: b # \u2028c: d\n", "", "a: b # \u2028c: d\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", ""},

	"set":            {"a: b\noutboundTrafficPolicy:\n  mode: ALLOW_ANY\nc: d\n", AllowAny, "a: b\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY\nc: d\n", "a: b\nc: d\n"},
	"last, no break": {"a: b\noutboundTrafficPolicy:\n  mode: ALLOW_ANY", AllowAny, "a: b\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY", "a: b"},
	"comments": {"# head\noutboundTrafficPolicy: # why\n  # above\n  mode: ALLOW_ANY # beside\n  # below\na: b\n", AllowAny,
		"# head\noutboundTrafficPolicy: # why\n  # above\n  mode: REGISTRY_ONLY # beside\n  # below\na: b\n", "# head\n  # below\na: b\n"},
	"flow value":      {"outboundTrafficPolicy: {mode: ALLOW_ANY}\na: b\n", AllowAny, "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\na: b\n", "a: b\n"},
	"flow over lines": {"outboundTrafficPolicy: {\n  mode: ALLOW_ANY, # }\n}\na: b\n", AllowAny, "outboundTrafficPolicy: {\n  mode: REGISTRY_ONLY, # }\n}\na: b\n", "a: b\n"},
	"JSON value":      {"{\"a\": \"}\\\"\", \"outboundTrafficPolicy\": {\"mode\": \"ALLOW_ANY\"}}", AllowAny, "{\"a\": \"}\\\"\", \"outboundTrafficPolicy\": {\"mode\": \"REGISTRY_ONLY\"}}", "{\"a\": \"}\\\"\"}"},
	"single quotes":   {"outboundTrafficPolicy:\n  mode: 'ALLOW_ANY'\n", AllowAny, "outboundTrafficPolicy:\n  mode: 'REGISTRY_ONLY'\n", "-"},
	"double quotes":   {"outboundTrafficPolicy:\n  mode: \"ALLOW_ANY\"\n", AllowAny, "outboundTrafficPolicy:\n  mode: \"REGISTRY_ONLY\"\n", "-"},
	"quoted keys":     {"'outboundTrafficPolicy':\n  \"mode\": ALLOW_ANY\n", AllowAny, "'outboundTrafficPolicy':\n  \"mode\": REGISTRY_ONLY\n", "-"},
	"tab":             {"a: \"\tx\"\noutboundTrafficPolicy:\n  mode:\tALLOW_ANY\n", AllowAny, "a: \"\tx\"\noutboundTrafficPolicy:\n  mode:\tREGISTRY_ONLY\n", "a: \"\tx\"\n"},
	"wide characters": {"{a: é𝄞, outboundTrafficPolicy: {mode: ALLOW_ANY}}\n", AllowAny, "{a: é𝄞, outboundTrafficPolicy: {mode: REGISTRY_ONLY}}\n", "{a: é𝄞}\n"},
	"number":          {"outboundTrafficPolicy:\n  mode: 1\n", AllowAny, "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", "-"},
	"proto name":      {"outbound_traffic_policy:\n  mode: ALLOW_ANY\na: b\n", AllowAny, "outbound_traffic_policy:\n  mode: REGISTRY_ONLY\na: b\n", "a: b\n"},
	"twice": {"outboundTrafficPolicy: {mode: REGISTRY_ONLY}\noutboundTrafficPolicy: {mode: ALLOW_ANY}\n", AllowAny,
		"outboundTrafficPolicy: {mode: REGISTRY_ONLY}\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n",
		"outboundTrafficPolicy: {mode: REGISTRY_ONLY}\noutboundTrafficPolicy: null\n"},
	"tag":            {"outboundTrafficPolicy: !!map\n  mode: !!str ALLOW_ANY\n", AllowAny, "outboundTrafficPolicy: !!map\n  mode: !!str REGISTRY_ONLY\n", "-"},
	"unknown mode":   {"outboundTrafficPolicy:\n  mode: ALLOW_SOME\n", "ALLOW_SOME", "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", "-"},
	"unknown number": {"outboundTrafficPolicy:\n  mode: 7\n", "7", "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", "-"},

	// A message without a mode has the zero value.
	"{}":         {"outboundTrafficPolicy: {}\na: b\n", RegistryOnly, "outboundTrafficPolicy: {mode: ALLOW_ANY}\na: b\n", "a: b\n"},
	"{ }":        {"outboundTrafficPolicy: { }\n", RegistryOnly, "outboundTrafficPolicy: {mode: ALLOW_ANY }\n", "-"},
	"null mode":  {"outboundTrafficPolicy:\n  mode: null\n", RegistryOnly, "outboundTrafficPolicy:\n  mode: ALLOW_ANY\n", "-"},
	"empty mode": {"outboundTrafficPolicy:\n  mode:\na: b\n", RegistryOnly, "outboundTrafficPolicy:\n  mode: ALLOW_ANY\na: b\n", "a: b\n"},
	"mode 0":     {"outboundTrafficPolicy: {mode: 0}\n", RegistryOnly, "outboundTrafficPolicy: {mode: ALLOW_ANY}\n", "-"},
	"tls alone":  {"outboundTrafficPolicy:\n  tls:\n    mode: SIMPLE\na: b\n", RegistryOnly, "outboundTrafficPolicy:\n  mode: ALLOW_ANY\n  tls:\n    mode: SIMPLE\na: b\n", "siblings"},
	"tls flow":   {"outboundTrafficPolicy: {tls: {mode: SIMPLE}}\n", RegistryOnly, "outboundTrafficPolicy: {mode: ALLOW_ANY, tls: {mode: SIMPLE}}\n", "siblings"},
	"tls beside": {"outboundTrafficPolicy:\n  mode: ALLOW_ANY_DYNAMIC_DNS\n  tls: {mode: SIMPLE}\n", AllowAnyDynamicDNS, "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n  tls: {mode: SIMPLE}\n", "siblings"},

	// A null is no message.
	"null policy":                       {"outboundTrafficPolicy: null\na: b\n", "", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\na: b\n", "a: b\n"},
	"tilde":                             {"outboundTrafficPolicy: ~\n", "", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n", "-"},
	"no value":                          {"outboundTrafficPolicy:\na: b\n", "", "outboundTrafficPolicy: {mode: REGISTRY_ONLY}\na: b\n", "a: b\n"},
	"null between a literal and spaces": {"a: |\n  b\noutboundTrafficPolicy: null\n   ", "", "a: |\n  b\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n   ", "a: |\n  b\noutboundTrafficPolicy: null\n   "},
	"no value end":                      {"a: b\noutboundTrafficPolicy:", "", "a: b\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}", "a: b"},

	// Anchors.
	"alias": {"x: &p {mode: ALLOW_ANY, tls: {}}\noutboundTrafficPolicy: *p\n", AllowAny,
		"x: &p {mode: ALLOW_ANY, tls: {}}\noutboundTrafficPolicy: {<<: *p, mode: REGISTRY_ONLY}\n", "siblings"},
	"alias of the mode": {"x: &m ALLOW_ANY\noutboundTrafficPolicy:\n  mode: *m\n", AllowAny,
		"x: &m ALLOW_ANY\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n", "x: &m ALLOW_ANY\n"},
	"anchor of its own": {"outboundTrafficPolicy:\n  mode: &m ALLOW_ANY\n", AllowAny, "outboundTrafficPolicy:\n  mode: &m REGISTRY_ONLY\n", "-"},
	"merged into it": {"x: &p {mode: ALLOW_ANY}\noutboundTrafficPolicy:\n  <<: *p\n", AllowAny,
		"x: &p {mode: ALLOW_ANY}\noutboundTrafficPolicy:\n  <<: *p\n  mode: REGISTRY_ONLY\n", "x: &p {mode: ALLOW_ANY}\n"},
	"merged into the root": {"x: &base\n  outboundTrafficPolicy: {mode: ALLOW_ANY}\n<<: *base\n", AllowAny,
		"x: &base\n  outboundTrafficPolicy: {mode: ALLOW_ANY}\n<<: *base\noutboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n",
		"x: &base\n  outboundTrafficPolicy: {mode: ALLOW_ANY}\n<<: *base\noutboundTrafficPolicy:\n  null\n"},
	"anchor that others use": {"outboundTrafficPolicy:\n  mode: &m ALLOW_ANY\nx: *m\n", AllowAny, "refused", ""},
	"block scalar":           {"outboundTrafficPolicy:\n  mode: >-\n    ALLOW_ANY\n", AllowAny, "refused", ""},

	"a list":            {"- a\n", "error", "", ""},
	"a string":          {"ALLOW_ANY\n", "error", "", ""},
	"does not parse":    {"a: [\n", "error", "", ""},
	"tabs as indent":    {"a:\n\tb: c\n", "error", "", ""},
	"policy is a text":  {"outboundTrafficPolicy: ALLOW_ANY\n", "error", "", ""},
	"mode is a mapping": {"outboundTrafficPolicy: {mode: {}}\n", "error", "", ""},
}

func TestOdd(t *testing.T) {
	for name, c := range odd {
		t.Run(name, func(t *testing.T) {
			config, err := Parse(c.text)
			if c.mode == "error" {
				if err == nil {
					t.Fatalf("read as %+v", config)
				}
				if _, err := Set(c.text, AllowAny); err == nil {
					t.Error("was edited")
				}
				return
			}
			if err != nil || config.OutboundMode != c.mode {
				t.Fatalf("mode %q, %v", config.OutboundMode, err)
			}
			other := RegistryOnly
			if c.mode == RegistryOnly {
				other = AllowAny
			}
			set, err := Set(c.text, other)
			if c.set == "refused" {
				if !errors.Is(err, ErrNoPlace) {
					t.Fatalf("%v:\n%s", err, set)
				}
				return
			}
			if err != nil || set != c.set {
				t.Fatalf("%v\ngot  %q\nwant %q", err, set, c.set)
			}
			if same, err := Set(set, other); err != nil || same != set {
				t.Errorf("set again: %q, %v", same, err)
			}
			checkRemoved(t, set, c.text, c.removed)
		})
	}
}

func checkRemoved(t *testing.T, set, text, want string) {
	t.Helper()
	removed, err := Remove(set)
	switch want {
	case "siblings":
		if !errors.Is(err, ErrSiblings) {
			t.Errorf("removed: %v %q", err, removed)
		}
		return
	case "-":
		text = ""
		removed = strings.TrimSpace(removed)
	case "":
	default:
		text = want
	}
	if err != nil || removed != text {
		t.Errorf("removed: %v\ngot  %q\nwant %q", err, removed, text)
	}
}

func TestModesOfTwoConfigs(t *testing.T) {
	parse := func(text string) Config {
		config, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return config
	}
	shared := parse("outboundTrafficPolicy: {mode: REGISTRY_ONLY}\nrootNamespace: root\ndefaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: 'true'}}\n")
	for text, want := range map[string]Config{
		"":                              shared,
		"outboundTrafficPolicy: null\n": shared,
		"outboundTrafficPolicy: {mode: ALLOW_ANY}\ntrustDomain: td\n": {OutboundMode: AllowAny, RootNamespace: "root", TrustDomain: "td", DNSCapture: "true"},
		"outboundTrafficPolicy: {}\nrootNamespace: other\n":           {OutboundMode: RegistryOnly, RootNamespace: "other", DNSCapture: "true"},
	} {
		if got := parse(text).Over(shared); got != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
