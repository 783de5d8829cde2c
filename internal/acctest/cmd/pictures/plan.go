package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/terminal"
)

// columns of the terminal: a line of `grants` fits.
const columns = 150

// inFull is the resource of which the picture of the first plan shows everything.
const inFull = "istio_egress_traffic_policy.payments"

// edits are the change whose plan the second picture shows: a source less, a host more.
var edits = [][2]string{
	{`      { namespace = "shop", workload_selector = { app = "orders" }, service_accounts = ["orders"] },
`, ""},
	{`"onlinetools.ups.com"`, `"onlinetools.ups.com", "apis.fedex.com"`},
}

// drawPlans draws the plan of the example, and of a change of it.
func drawPlans(ctx context.Context, s *studio) error {
	return s.withCluster(ctx, func() error {
		planned, err := s.terraform(ctx, "plan")
		if err != nil {
			return err
		}
		if err := s.write(planFile, terminal.SVG(digest(planned, inFull), columns)); err != nil {
			return err
		}
		if _, err := s.terraform(ctx, "apply", "-auto-approve"); err != nil {
			return err
		}
		changed := s.configuration
		for _, edit := range edits {
			if !strings.Contains(changed, edit[0]) {
				return fmt.Errorf("the example has no %q to change", edit[0])
			}
			changed = strings.Replace(changed, edit[0], edit[1], 1)
		}
		if err := s.workspace.WriteFile("main.tf", changed); err != nil {
			return err
		}
		if planned, err = s.terraform(ctx, "plan"); err != nil {
			return err
		}
		return s.write(changeFile, terminal.SVG(digest(planned, ""), columns))
	})
}

// digest leaves of a plan the changes: of resources that are not in full the first
// line only. An empty inFull keeps all of them.
func digest(plan, inFull string) []terminal.Row {
	rows := terminal.ANSI(plan)
	begin := max(0, slices.IndexFunc(rows, func(r terminal.Row) bool {
		return strings.HasPrefix(r.Text(), "Terraform will perform the following actions:")
	}))
	var picked []terminal.Row
	skip := false
	for _, row := range rows[begin:] {
		text := row.Text()
		switch {
		case strings.HasPrefix(text, "───"):
			return slices.Clip(trim(picked))
		case strings.HasPrefix(text, "  # "):
			skip = inFull != "" && !strings.HasPrefix(text, "  # "+inFull+" ")
			if skip && len(picked) > 0 && len(picked[len(picked)-1]) == 0 && isHead(picked) {
				picked = picked[:len(picked)-1]
			}
			picked = append(picked, row)
			if skip {
				picked = append(picked, nil)
			}
		case strings.HasPrefix(text, "Plan:"):
			skip = false
			picked = append(picked, row)
		case !skip:
			picked = append(picked, row)
		}
	}
	return trim(picked)
}

// isHead reports whether the last line that is not empty is the first of a
// resource of which nothing else was picked.
func isHead(picked []terminal.Row) bool {
	return len(picked) > 1 && strings.HasPrefix(picked[len(picked)-2].Text(), "  # ")
}

func trim(rows []terminal.Row) []terminal.Row {
	for len(rows) > 0 && strings.TrimSpace(rows[len(rows)-1].Text()) == "" {
		rows = rows[:len(rows)-1]
	}
	return rows
}
