package diagnose_test

import (
	"context"
	"errors"
	"fmt"
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

// TestProblemsOfOneKind: a host that many policies claim does not fill the screen.
func TestProblemsOfOneKind(t *testing.T) {
	var problems []compile.Problem
	for i := range 10 {
		hosts := compile.Problem{Path: []any{"egress_rules", i % 2, "hosts"}, Summary: "taken", Detail: fmt.Sprintf("by %d", i)}
		warning := hosts
		warning.Warning = true
		problems = append(problems, hosts, warning)
	}
	problems = append(problems, compile.Problem{Summary: "alone", Detail: "d"})
	got := diagnose.Conflict.Problems(problems)
	if len(got) != 2*2*3+1 {
		t.Errorf("%d diagnostics", len(got))
	}
	var more int
	for _, d := range got {
		if strings.Contains(d.Detail(), "There are 2 more of this kind here.") {
			more++
			if !strings.HasPrefix(d.Detail(), "by 4") && !strings.HasPrefix(d.Detail(), "by 5") {
				t.Errorf("not the last that is shown: %s", d.Detail())
			}
		}
	}
	if more != 4 {
		t.Errorf("%d of them say that there are more", more)
	}
	if errors := got.ErrorsCount(); errors != 7 {
		t.Errorf("%d errors", errors)
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
