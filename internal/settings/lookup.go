package settings

import (
	"context"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/diagnose"
)

// lookupTimeout bounds what a plan waits for a cluster that does not answer.
// A consistent LIST of the largest meshes takes about a second.
const lookupTimeout = 15 * time.Second

// Lookup checks the trust domain and runs a look-up that makes a plan better:
// it may add diagnostics, never values. A cluster that was already written to by
// this process is not asked. One that is not known yet, is not configured or does
// not answer gives one warning per process, and whoever comes later is not kept
// waiting. One that does not serve a kind gives one warning: what installs it may
// be in the same plan. Any other error of the look-up is an error of the plan.
func (p *Provider) Lookup(ctx context.Context, look func(context.Context, *cluster.Client) error) diag.Diagnostics {
	return p.lookupWithin(ctx, lookupTimeout, look)
}

func (p *Provider) lookupWithin(ctx context.Context, limit time.Duration, look func(context.Context, *cluster.Client) error) diag.Diagnostics {
	client, err := p.Connect()
	switch {
	case IsUnknown(err):
		return p.skip("The cluster is not known yet", "")
	case IsNoCluster(err):
		return p.skip("No cluster is configured", err.Error())
	case err != nil:
		return diag.Diagnostics{diagnose.Error(err)}
	case client.Wrote() || p.skipped():
		return nil
	}

	bounded, cancel := context.WithTimeout(cluster.Briefly(ctx), limit)
	defer cancel()
	err = p.CheckTrustDomain(bounded, client)
	if err == nil {
		err = look(bounded, client)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && (bounded.Err() != nil || cluster.IsUnreachable(err)):
		return p.skip("The cluster does not answer", diagnose.Error(err).Detail())
	case cluster.IsMissingKind(err):
		return p.warnOnce(&p.lookup.incomplete, diagnose.Error(err).Summary(), "Apply fails while this is so. "+diagnose.Error(err).Detail())
	}
	return diag.Diagnostics{diagnose.Error(err)}
}

// skip ends the look-ups of this process.
func (p *Provider) skip(summary, detail string) diag.Diagnostics {
	return p.warnOnce(&p.lookup.failed, summary+": the plan is made without looking at it",
		strings.TrimSpace("Conflicts with what is in the cluster show at apply only. "+detail))
}

// warnOnce sets said, and has a warning if it was not set.
func (p *Provider) warnOnce(said *bool, summary, detail string) diag.Diagnostics {
	p.lookup.Lock()
	defer p.lookup.Unlock()
	if *said {
		return nil
	}
	*said = true
	return diag.Diagnostics{diag.NewWarningDiagnostic(summary, detail)}
}

func (p *Provider) skipped() bool {
	p.lookup.Lock()
	defer p.lookup.Unlock()
	return p.lookup.failed
}

// Unseen has one warning, once per process for each, of the permissions
// without which a look-up did not see everything.
func (p *Provider) Unseen(permissions []string) diag.Diagnostics {
	p.lookup.Lock()
	defer p.lookup.Unlock()
	if p.lookup.refused == nil {
		p.lookup.refused = map[string]bool{}
	}
	var lines []string
	for _, permission := range permissions {
		if !p.lookup.refused[permission] {
			p.lookup.refused[permission] = true
			lines = append(lines, "  "+permission)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	// The summary tells them apart: core shows one warning of each only.
	return diag.Diagnostics{diag.NewWarningDiagnostic("Conflicts are not looked for everywhere: no permission to "+strings.TrimSpace(lines[0]),
		"A policy is compared with the objects that could take its calls away or stand in its way. The credentials may not:\n\n"+
			strings.Join(lines, "\n")+"\n\nSo a conflict with what is there is not seen. The roles that this provider needs are in examples/rbac of its repository.")}
}
