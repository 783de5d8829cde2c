package functions_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/functions"
	"github.com/meshegress/terraform-provider-istio/internal/ports"
)

// dynamic turns JSON values into what Terraform gives a function for the same
// expression: objects and tuples.
func dynamic(t *testing.T, value any) types.Dynamic {
	t.Helper()
	return types.DynamicValue(expression(t, value))
}

func expression(t *testing.T, value any) attr.Value {
	t.Helper()
	switch value := value.(type) {
	case string:
		return types.StringValue(value)
	case bool:
		return types.BoolValue(value)
	case float64:
		return types.NumberValue(big.NewFloat(value))
	case int:
		return types.NumberValue(big.NewFloat(float64(value)))
	case nil:
		return types.DynamicNull()
	case []any:
		var kinds []attr.Type
		var elements []attr.Value
		for _, element := range value {
			elements = append(elements, expression(t, element))
			kinds = append(kinds, elements[len(elements)-1].Type(t.Context()))
		}
		return types.TupleValueMust(kinds, elements)
	case map[string]any:
		kinds, attributes := map[string]attr.Type{}, map[string]attr.Value{}
		for name, attribute := range value {
			attributes[name] = expression(t, attribute)
			kinds[name] = attributes[name].Type(t.Context())
		}
		return types.ObjectValueMust(kinds, attributes)
	}
	t.Fatalf("no expression for %T", value)
	return nil
}

// render calls egress_manifests.
func render(t *testing.T, p, options types.Dynamic) map[string]string {
	t.Helper()
	got, err := call(t, functions.NewEgressManifests(), p, options)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for key, text := range got.(types.Map).Elements() {
		texts[key] = text.(types.String).ValueString()
	}
	return texts
}

// golden is an input of the compiler's golden pairs.
type golden struct {
	Title  string         `json:"title"`
	Mesh   *compile.Mesh  `json:"mesh"`
	Policy policy.Policy  `json:"-"`
	Raw    map[string]any `json:"policy"`
}

func goldens(t *testing.T) map[string]golden {
	t.Helper()
	paths, err := filepath.Glob("../compile/policy/testdata/*.in.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden policies: %v", err)
	}
	all := map[string]golden{}
	for _, path := range paths {
		var g golden
		if err := yaml.Unmarshal([]byte(read(t, path)), &g); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(g.Raw)
		if err == nil {
			err = json.Unmarshal(text, &g.Policy)
		}
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".in.yaml")] = g
	}
	return all
}

// options returns the mesh of a golden policy as options.
func (g golden) options() map[string]any {
	if g.Mesh == nil {
		return map[string]any{}
	}
	options := map[string]any{}
	for name, value := range map[string]string{
		"istio_namespace": g.Mesh.RootNamespace, "trust_domain": g.Mesh.TrustDomain,
		"cluster_domain": g.Mesh.ClusterDomain, "revision": g.Mesh.Revision,
	} {
		if value != "" {
			options[name] = value
		}
	}
	var aliases []any
	for _, alias := range g.Mesh.TrustDomainAliases {
		aliases = append(aliases, alias)
	}
	if aliases != nil {
		options["trust_domain_aliases"] = aliases
	}
	return options
}

// TestManifestsAreTheCompilersGoldens renders every golden policy with ports
// from 10000 on, as its golden output has them.
func TestManifestsAreTheCompilersGoldens(t *testing.T) {
	for name, g := range goldens(t) {
		t.Run(name, func(t *testing.T) {
			options := g.options()
			options["first_port"] = 10000
			got := render(t, dynamic(t, g.Raw), dynamic(t, options))
			want := map[string]string{}
			for _, document := range strings.Split(read(t, "../compile/policy/testdata/"+name+".out.yaml"), "---\n")[1:] {
				var object struct {
					Kind     string
					Metadata struct{ Namespace, Name string }
				}
				if err := yaml.Unmarshal([]byte(document), &object); err != nil {
					t.Fatal(err)
				}
				// The first line is a comment with stage and key.
				_, text, _ := strings.Cut(document, "\n")
				want[object.Kind+"/"+object.Metadata.Namespace+"/"+object.Metadata.Name] = text
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestResultOfTheConverterIsAPolicy passes on what asm_egress_traffic_policy
// returns, with its typed nulls.
func TestResultOfTheConverterIsAPolicy(t *testing.T) {
	converted, err := call(t, functions.NewASMEgressTrafficPolicy(), types.StringValue(read(t, "../convert/testdata/asm-2-upgrade.in.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	none := dynamic(t, map[string]any{})
	want := render(t, dynamic(t, goldens(t)["asm-policy-2-upgrade"].Raw), none)
	if diff := cmp.Diff(want, render(t, types.DynamicValue(converted), none)); diff != "" {
		t.Error(diff)
	}
}

// portsOf returns the ports that the Gateways of a rendered policy open.
func portsOf(t *testing.T, texts map[string]string) []int64 {
	t.Helper()
	var all []int64
	for key, text := range texts {
		if !strings.HasPrefix(key, "Gateway/") {
			continue
		}
		var object struct {
			Spec struct {
				Servers []struct{ Port struct{ Number int64 } }
			}
		}
		if err := yaml.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		all = append(all, object.Spec.Servers[0].Port.Number)
	}
	return slices.Sorted(slices.Values(all))
}

func TestPorts(t *testing.T) {
	g := goldens(t)["asm-policy-3-assigned-ports"]
	given := func(options map[string]any) []int64 {
		return portsOf(t, render(t, dynamic(t, g.Raw), dynamic(t, options)))
	}

	t.Run("as the provider would try first", func(t *testing.T) {
		var want []int64
		for _, slot := range policy.Slots(g.Policy) {
			for port := range ports.Candidates(policy.SlotID(g.Policy, slot), nil) {
				want = append(want, port)
				break
			}
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), given(map[string]any{})); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("from the first port on, around Istio's own", func(t *testing.T) {
		if diff := cmp.Diff([]int64{14998, 14999, 15100, 15101, 15102}, given(map[string]any{"first_port": 14998})); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("given by key", func(t *testing.T) {
		got := given(map[string]any{"first_port": 20000, "gateway_ports": map[string]any{"aliyun-com-http": 2000, "tcp-svc1/1.1.1.1": "20001"}})
		if diff := cmp.Diff([]int64{2000, 20000, 20001, 20002, 20003}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("explicit ones are not given again", func(t *testing.T) {
		g := goldens(t)["explicit-ports"]
		all := portsOf(t, render(t, dynamic(t, g.Raw), dynamic(t, map[string]any{"first_port": 1024})))
		if len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Errorf("two entries have one port: %v", all)
		}
	})
	for name, tt := range map[string]struct {
		options map[string]any
		want    string
	}{
		"unknown key":  {map[string]any{"gateway_ports": map[string]any{"aliyun": 2000}}, `options.gateway_ports.aliyun: Unknown entry`},
		"privileged":   {map[string]any{"gateway_ports": map[string]any{"aliyun-com-http": 80}}, `options.gateway_ports.aliyun-com-http: Invalid port`},
		"Istio's":      {map[string]any{"gateway_ports": map[string]any{"tcp-svc1/1.1.1.1": 15443}}, `options.gateway_ports["tcp-svc1/1.1.1.1"]: Invalid port`},
		"twice":        {map[string]any{"gateway_ports": map[string]any{"aliyun-com-http": 2000, "https-upgrade": 2000}}, `Port taken: 2000 is the port of "aliyun-com-http"`},
		"first port":   {map[string]any{"first_port": 80}, "options.first_port: Invalid port"},
		"beyond":       {map[string]any{"first_port": 65536}, "options.first_port: Invalid port"},
		"too few":      {map[string]any{"first_port": 65533}, "options.first_port: No port left"},
		"not a number": {map[string]any{"first_port": "ten"}, "options.first_port: Not a whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t, functions.NewEgressManifests(), dynamic(t, g.Raw), dynamic(t, tt.options))
			contains(t, err, tt.want)
		})
	}
}

// The gateway of the options goes before the policy's own.
func TestGatewayOfTheOptions(t *testing.T) {
	g := goldens(t)["asm-policy-1-http"]
	other := map[string]any{"by_egress_gateway": map[string]any{"name": "other", "namespace": "elsewhere"}}
	texts := render(t, dynamic(t, g.Raw), dynamic(t, other))
	if !slices.ContainsFunc(slices.Collect(maps.Keys(texts)), func(key string) bool { return strings.HasPrefix(key, "Gateway/elsewhere/other-") }) {
		t.Errorf("no Gateway of the other gateway: %v", slices.Sorted(maps.Keys(texts)))
	}
	_, err := call(t, functions.NewEgressManifests(), dynamic(t, g.Raw), dynamic(t, map[string]any{"by_egress_gateway": map[string]any{"name": "other", "namespace": "istio-system"}}))
	contains(t, err, "options.by_egress_gateway.namespace: Gateway in Istio's root namespace")
	if err.FunctionArgument == nil || *err.FunctionArgument != 1 {
		t.Error("the error is not about the options")
	}
}

// TestPolicyProblems names the attribute that is wrong.
func TestPolicyProblems(t *testing.T) {
	entry := func(change map[string]any) map[string]any {
		to := map[string]any{"name": "api", "hosts": []any{"a.example"}, "port": map[string]any{"name": "http", "number": 80, "protocol": "HTTP"}}
		maps.Copy(to, change)
		return to
	}
	source := map[string]any{"namespace": "shop", "workload_selector": map[string]any{}}
	with := func(from, to map[string]any) map[string]any {
		return map[string]any{
			"name": "p", "by_egress_gateway": map[string]any{"name": "egw"},
			"egress_rules": []any{map[string]any{"from": []any{from}, "to": []any{to}}},
		}
	}
	for name, tt := range map[string]struct {
		policy any
		want   string
	}{
		"no object":          {"p", "policy: Not an object"},
		"unknown":            {map[string]any{"name": "p", "egress_rules": []any{}, "grants": []any{}}, "policy.grants: Unknown attribute: The attributes here are by_egress_gateway, egress_rules, name, revision, unselected_workloads"},
		"timeouts":           {map[string]any{"name": "p", "egress_rules": []any{}, "timeouts": map[string]any{}}, "policy.timeouts: Unknown attribute"},
		"unknown deep":       {with(source, entry(map[string]any{"httpsUpgrade": true})), "policy.egress_rules[0].to[0].httpsUpgrade: Unknown attribute"},
		"missing":            {map[string]any{"name": "p"}, "policy.egress_rules: Missing attribute"},
		"missing deep":       {with(map[string]any{}, entry(nil)), "policy.egress_rules[0].from[0].namespace: Missing attribute"},
		"null is missing":    {with(map[string]any{"namespace": nil}, entry(nil)), "policy.egress_rules[0].from[0].namespace: Missing attribute"},
		"not a list":         {with(source, entry(map[string]any{"hosts": "a.example"})), "policy.egress_rules[0].to[0].hosts: Not a list"},
		"not a map":          {with(map[string]any{"namespace": "shop", "workload_selector": "app"}, entry(nil)), "policy.egress_rules[0].from[0].workload_selector: Not a map"},
		"null in a list":     {with(source, entry(map[string]any{"hosts": []any{nil}})), "policy.egress_rules[0].to[0].hosts[0]: Null in a list"},
		"null in a map":      {with(map[string]any{"namespace": "shop", "workload_selector": map[string]any{"app": nil}}, entry(nil)), "policy.egress_rules[0].from[0].workload_selector.app: Null in a map"},
		"empty accounts":     {with(map[string]any{"namespace": "shop", "service_accounts": []any{}}, entry(nil)), "policy.egress_rules[0].from[0].service_accounts: Empty"},
		"no workloads":       {with(map[string]any{"namespace": "shop"}, entry(nil)), "policy.egress_rules[0].from[0]: Source without workloads"},
		"null workloads":     {with(map[string]any{"namespace": "shop", "workload_selector": nil}, entry(nil)), "policy.egress_rules[0].from[0]: Source without workloads"},
		"not a number":       {with(source, entry(map[string]any{"by_egress_gateway": map[string]any{"port": 80.5}})), `policy.egress_rules[0].to[0].by_egress_gateway.port: Not a whole number: "80.5"`},
		"not a Boolean":      {with(source, entry(map[string]any{"https_upgrade": map[string]any{"enabled": "yes", "port": 443}})), "policy.egress_rules[0].to[0].https_upgrade.enabled: Not a Boolean"},
		"not a string":       {with(source, entry(map[string]any{"name": []any{}})), "policy.egress_rules[0].to[0].name: Wrong type: A string"},
		"the compiler's own": {with(source, entry(map[string]any{"hosts": []any{"a.example", "10.0.0.1"}})), "policy.egress_rules[0].to[0].hosts[1]: IP address as host"},
		"no rules":           {map[string]any{"name": "p", "egress_rules": []any{}}, "policy.egress_rules: No rules"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t, functions.NewEgressManifests(), dynamic(t, tt.policy), dynamic(t, map[string]any{}))
			contains(t, err, tt.want)
			if err.FunctionArgument == nil || *err.FunctionArgument != 0 {
				t.Error("the error is not about the policy")
			}
		})
	}
	t.Run("many", func(t *testing.T) {
		var hosts []any
		for i := range 45 {
			hosts = append(hosts, fmt.Sprintf("10.0.0.%d", i))
		}
		_, err := call(t, functions.NewEgressManifests(), dynamic(t, with(source, entry(map[string]any{"hosts": hosts}))), dynamic(t, map[string]any{}))
		contains(t, err, "45 problems:", "and 5 more")
	})
}

func TestOptionProblems(t *testing.T) {
	for want, options := range map[string]any{
		"options: Not an object":                             "x",
		"options.namespace: Unknown attribute":               map[string]any{"namespace": "x"},
		"options.trust_domain: Invalid domain":               map[string]any{"trust_domain": "A"},
		"options.cluster_domain: Invalid domain":             map[string]any{"cluster_domain": "a_b"},
		"options.trust_domain_aliases[1]: Invalid domain":    map[string]any{"trust_domain_aliases": []any{"a.example", "-"}},
		"options.istio_namespace: Invalid namespace":         map[string]any{"istio_namespace": "A"},
		"options.revision: Invalid revision":                 map[string]any{"revision": "a b"},
		"options.by_egress_gateway.name: Missing attribute":  map[string]any{"by_egress_gateway": map[string]any{}},
		"options.by_egress_gateway.name: Invalid gateway na": map[string]any{"by_egress_gateway": map[string]any{"name": "A"}},
	} {
		t.Run(want, func(t *testing.T) {
			_, err := call(t, functions.NewEgressManifests(), dynamic(t, goldens(t)["asm-policy-1-http"].Raw), dynamic(t, options))
			contains(t, err, want)
		})
	}
}

// TestOptionsAreDescribed holds the text of the registry page to the options.
func TestOptionsAreDescribed(t *testing.T) {
	_, err := call(t, functions.NewEgressManifests(), dynamic(t, goldens(t)["asm-policy-1-http"].Raw), dynamic(t, map[string]any{"x": 1}))
	contains(t, err, "The attributes here are ")
	_, list, _ := strings.Cut(err.Text, "The attributes here are ")
	text := definitionOf(t, functions.NewEgressManifests()).Parameters[1].GetMarkdownDescription()
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "."), ", ") {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("option %s is not described", name)
		}
	}
}
