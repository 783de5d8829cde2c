package diagnose_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/internal/settings"
)

func TestProblems(t *testing.T) {
	got := diagnose.Problems([]compile.Problem{
		{Summary: "whole", Detail: "d"},
		{Summary: "whole", Detail: "w", Warning: true},
		{Path: []any{"egress_rules", 2, "to", 0, "hosts"}, Summary: "at", Detail: "d"},
		{Path: []any{"name"}, Summary: "more", Detail: "d", Topic: string(diagnose.Exists)},
		{Path: []any{"labels", "app.kubernetes.io/name"}, Summary: "key", Detail: "d", Warning: true},
	})
	want := diag.Diagnostics{
		diag.NewErrorDiagnostic("whole", "d"),
		diag.NewWarningDiagnostic("whole", "w"),
		diag.NewAttributeErrorDiagnostic(
			path.Root("egress_rules").AtListIndex(2).AtName("to").AtListIndex(0).AtName("hosts"), "at", "d"),
		diag.NewAttributeErrorDiagnostic(path.Root("name"), "more", diagnose.Exists.With("d")),
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

// TestErrorsLeadOn looks at the end of the detail: the guide's section, where
// there is one.
func TestErrorsLeadOn(t *testing.T) {
	refused := func(message string) error {
		return &cluster.OpError{Verb: "create", ID: manifest.ID{}, Err: apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "a", errors.New(message))}
	}
	for name, c := range map[string]struct {
		err  error
		want diagnose.Topic
	}{
		"exists":      {&cluster.ForeignError{}, diagnose.Exists},
		"changed":     {&cluster.ConflictError{}, diagnose.ChangedSince},
		"remains":     {&cluster.RemainsError{Err: context.DeadlineExceeded}, diagnose.StillThere},
		"not ready":   {&cluster.WaitError{}, diagnose.NotReady},
		"unreachable": {&cluster.OpError{Err: apierrors.NewServiceUnavailable("starting")}, diagnose.Unreachable},
		"no cluster":  {settings.ErrNoCluster, diagnose.Unreachable},
		"permission":  {refused("user cannot"), diagnose.Forbidden},
		"quota":       {refused("exceeded quota: small"), ""},
		"webhook":     {refused("admission webhook denied the request"), ""},
		"other":       {errors.New("other"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := diagnose.Error(c.err).Detail()
			if c.want == "" {
				if strings.Contains(got, "More: ") {
					t.Error(got)
				}
			} else if !strings.HasSuffix(got, "/docs/guides/"+string(c.want)) {
				t.Errorf("no %s in %s", c.want, got)
			}
		})
	}
}
