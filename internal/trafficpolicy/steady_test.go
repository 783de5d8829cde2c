package trafficpolicy

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
	"github.com/meshegress/terraform-provider-istio/internal/protocol/protocoltest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

// Whatever a configuration is, the server says of it, and of its plan over a
// state, what terraform-plugin-framework says when it is asked. A policy that
// does not change goes the short way: otherwise there would be none.
func TestSteadyIsExact(t *testing.T) {
	shared := newServer(t, meshKnown)
	framework := shared.Bare()
	rapid.Check(t, func(t *rapid.T) {
		s, bare := shared.In(t), framework.In(t)
		s.Configure()
		config := configOf(t, policytest.Policy(t))
		applied := appliedState(t, s, config)
		checkShortWay(t, config, applied)
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			config = changedSomewhere(t, config)
		}
		if rapid.Bool().Draw(t, "state differs") {
			applied = changedSomewhere(t, applied)
		}
		checkDecoder(t, config)
		s.Configure()
		bare.Configure()
		problems := said(bare.Validate(config))
		// Of unknown elements the server knows better: see package protocol.
		if got := said(s.Validate(config)); config.IsFullyKnown() && !slices.Equal(got, problems) {
			t.Fatalf("validation says %q, want %q", got, problems)
		}
		if !applied.IsFullyKnown() || slices.ContainsFunc(problems, func(line string) bool { return strings.HasPrefix(line, "ERROR") }) {
			return // core does not plan it
		}
		if rapid.Bool().Draw(t, "create") {
			applied = s.None()
		}
		samePlan(t, s, bare, config, applied)
	})
}

// samePlan compares a plan with the framework's.
func samePlan(t *rapid.T, s, bare protocoltest.Server, config, prior tftypes.Value) {
	t.Helper()
	want, slow := bare.Plan(config, prior)
	got, fast := s.Plan(config, prior)
	if !slices.Equal(said(fast.Diagnostics), said(slow.Diagnostics)) {
		t.Fatalf("the plan says %q, want %q", said(fast.Diagnostics), said(slow.Diagnostics))
	}
	if diff, _ := got.Diff(want); len(diff) > 0 {
		t.Fatalf("the plan differs: %v", diff)
	}
	if len(fast.RequiresReplace) != len(slow.RequiresReplace) || fast.Deferred != slow.Deferred {
		t.Fatalf("the plan replaces %v, want %v", fast.RequiresReplace, slow.RequiresReplace)
	}
	if !reflect.DeepEqual(fast.PlannedIdentity, slow.PlannedIdentity) || !slices.Equal(fast.PlannedPrivate, slow.PlannedPrivate) {
		t.Fatalf("identity and private state are %v %s, want %v %s", fast.PlannedIdentity, fast.PlannedPrivate, slow.PlannedIdentity, slow.PlannedPrivate)
	}
}

func checkShortWay(t *rapid.T, config, applied tftypes.Value) {
	t.Helper()
	r := configuredResource()
	p, ok := configured(config)
	if clean := len(policy.Validate(p, r.mesh())) == 0; !ok || clean != r.ValidatesClean(context.Background(), config) {
		t.Fatalf("a configuration without a problem (%t) is not seen to be one", clean)
	}
	if !r.PlansSame(context.Background(), config, applied, nothing{}) {
		t.Fatal("a plan that changes nothing is not seen to be one")
	}
	fresh := configuredResource()
	fresh.provider.Connect = func() (*cluster.Client, error) { return nil, settings.ErrNoCluster }
	if _, _, ok := fresh.PlansNew(context.Background(), config); !ok {
		t.Fatal("a policy is not planned as something new")
	}
}

// checkDecoder compares the decoder, where it takes a configuration, with the
// framework's.
func checkDecoder(t *rapid.T, config tftypes.Value) {
	t.Helper()
	got, err := decoders().intent.Decode(config)
	if err != nil {
		return
	}
	s := testSchema(t)
	raw, err := withDefaults(context.Background(), s, config)
	if err != nil {
		t.Fatal(err)
	}
	want, ok := wholeIntent(context.Background(), tfsdk.Config{Raw: raw, Schema: s})
	if !ok || !reflect.DeepEqual(got, want) {
		t.Fatalf("decoded\n%+v, want (%t)\n%+v", got, ok, want)
	}
}

// said writes down diagnostics, in an order of their own.
func said(diags []*tfprotov6.Diagnostic) []string {
	lines := make([]string, 0, len(diags))
	for _, d := range diags {
		lines = append(lines, fmt.Sprintf("%s %s: %s: %s", d.Severity, d.Attribute, d.Summary, d.Detail))
	}
	slices.Sort(lines)
	return lines
}

// changedSomewhere makes one value, or one that could be there, null, unknown,
// empty or another one.
func changedSomewhere(t *rapid.T, value tftypes.Value) tftypes.Value {
	var paths []*tftypes.AttributePath
	_ = tftypes.Walk(value, func(at *tftypes.AttributePath, _ tftypes.Value) (bool, error) {
		if len(at.Steps()) > 0 {
			paths = append(paths, at)
		}
		return true, nil
	})
	slices.SortFunc(paths, func(a, b *tftypes.AttributePath) int { return strings.Compare(a.String(), b.String()) })
	where := rapid.SampledFrom(paths).Draw(t, "where")
	what := rapid.SampledFrom([]string{"null", "unknown", "empty", "other"}).Draw(t, "what")
	changed, err := tftypes.Transform(value, func(at *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if !at.Equal(where) {
			return value, nil
		}
		return changedTo(what, value), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func changedTo(what string, value tftypes.Value) tftypes.Value {
	typ := value.Type()
	switch what {
	case "null":
		return tftypes.NewValue(typ, nil)
	case "unknown":
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	}
	switch typed := typ.(type) {
	case tftypes.List, tftypes.Set:
		return tftypes.NewValue(typ, []tftypes.Value{})
	case tftypes.Map:
		if what == "other" {
			return tftypes.NewValue(typ, map[string]tftypes.Value{"k": sample(typed.ElementType)})
		}
		return tftypes.NewValue(typ, map[string]tftypes.Value{})
	case tftypes.Object:
		return sample(typ)
	}
	if what == "empty" && typ.Is(tftypes.String) {
		return tftypes.NewValue(typ, "")
	}
	return sample(typ)
}

// nothing is private state without a record.
type nothing struct{}

func (nothing) GetKey(context.Context, string) ([]byte, diag.Diagnostics) { return nil, nil }
