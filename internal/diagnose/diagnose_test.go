package diagnose_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

func TestProblems(t *testing.T) {
	got := diagnose.Problems([]compile.Problem{
		{Summary: "whole", Detail: "d"},
		{Summary: "whole", Detail: "w", Warning: true},
		{Path: []any{"egress_rules", 2, "to", 0, "hosts"}, Summary: "at", Detail: "d"},
		{Path: []any{"labels", "app.kubernetes.io/name"}, Summary: "key", Detail: "d", Warning: true},
	})
	want := diag.Diagnostics{
		diag.NewErrorDiagnostic("whole", "d"),
		diag.NewWarningDiagnostic("whole", "w"),
		diag.NewAttributeErrorDiagnostic(
			path.Root("egress_rules").AtListIndex(2).AtName("to").AtListIndex(0).AtName("hosts"), "at", "d"),
		diag.NewAttributeWarningDiagnostic(path.Root("labels").AtMapKey("app.kubernetes.io/name"), "key", "d"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProblemsOfNothing(t *testing.T) {
	if got := diagnose.Problems(nil); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
