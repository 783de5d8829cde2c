package adopt

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
)

// unit is what becomes one policy: the ways that one object chose. So a set
// of objects moves at a time.
type unit struct {
	object     *object
	via        via
	unselected bool
	flows      []*flow
}

// policies returns a policy for each VirtualService that leads to a gateway,
// and for each ServiceEntry whose hosts are called directly.
func (w *world) policies(flows []*flow) []Policy {
	var units []*unit
	for _, f := range flows {
		u := unit{object: f.rule(), via: f.via, unselected: f.unselected}
		if f.via == (via{}) {
			u.object, u.unselected = f.entry.object, false
		}
		i := slices.IndexFunc(units, func(other *unit) bool {
			return other.object == u.object && other.via == u.via && other.unselected == u.unselected
		})
		if i < 0 {
			i = len(units)
			units = append(units, &u)
		}
		units[i].flows = append(units[i].flows, f)
	}
	slices.SortStableFunc(units, func(a, b *unit) int {
		return cmp.Or(cmp.Compare(a.object.namespace, b.object.namespace), cmp.Compare(a.object.name, b.object.name))
	})
	names := map[string]bool{}
	var all []Policy
	for _, u := range units {
		if p, ok := w.policy(u, names); ok {
			all = append(all, p)
		}
	}
	return all
}

func (w *world) policy(u *unit, names map[string]bool) (Policy, bool) {
	p := policy.Policy{UnselectedWorkloads: policy.Deny, Name: unique(names, label(u.object.name), u.object.namespace)}
	if u.via != (via{}) {
		p.ByEgressGateway = &compile.Reference{Name: w.gatewayName(u.via), Namespace: w.options.GatewayNamespace}
		if u.unselected {
			p.UnselectedWorkloads = policy.Direct
		}
	}
	p.EgressRules = rules(u.flows)
	w.valid(u, &p)
	if len(p.EgressRules) == 0 {
		return Policy{}, false
	}
	var parts []*part
	for _, f := range u.flows {
		for _, part := range f.parts {
			// Of a direct way nothing but the ServiceEntry is the policy's.
			if u.via != (via{}) || part.kind == kindServiceEntry {
				parts = append(parts, part)
			}
		}
	}
	return Policy{Intent: p, InPlaceOf: objectsOf(parts)}, true
}

// objectsOf names the objects of parts.
func objectsOf(parts []*part) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.id())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rules groups flows: entries with the same sources are one rule, hosts that
// are reached alike are one entry.
func rules(flows []*flow) []policy.Rule {
	type bundle struct {
		to   policy.To
		from []policy.From
	}
	var bundles []*bundle
	for _, f := range flows {
		from := policy.From{Namespace: f.namespace, WorkloadSelector: f.labels, ServiceAccounts: f.accounts}
		if len(from.WorkloadSelector) == 0 {
			from.WorkloadSelector = nil
			if len(from.ServiceAccounts) == 0 {
				from.WorkloadSelector = map[string]string{}
			}
		}
		i := slices.IndexFunc(bundles, func(b *bundle) bool {
			return key(b.to) == key(f.to) && (len(b.from[0].ServiceAccounts) > 0) == (len(f.accounts) > 0)
		})
		if i < 0 {
			i = len(bundles)
			bundles = append(bundles, &bundle{to: f.to})
		}
		if !slices.ContainsFunc(bundles[i].from, func(other policy.From) bool { return key(other) == key(from) }) {
			bundles[i].from = append(bundles[i].from, from)
		}
	}
	var all []policy.Rule
	names := map[string]bool{}
	for _, b := range bundles {
		i := slices.IndexFunc(all, func(r policy.Rule) bool { return key(r.From) == key(b.from) })
		if i < 0 {
			i = len(all)
			all = append(all, policy.Rule{From: b.from})
		}
		if j := slices.IndexFunc(all[i].To, func(to policy.To) bool { return alike(to, b.to) }); j >= 0 {
			all[i].To[j].Hosts = append(all[i].To[j].Hosts, b.to.Hosts...)
			continue
		}
		b.to.Name = unique(names, label(fmt.Sprintf("%s-%d", strings.TrimPrefix(b.to.Hosts[0], "*."), b.to.Port.Number)), "")
		all[i].To = append(all[i].To, b.to)
	}
	return all
}

// alike reports whether two entries differ in their hosts alone, and may be
// one.
func alike(a, b policy.To) bool {
	one := len(a.Addresses)+len(b.Addresses) > 0 || len(a.Hosts)+len(b.Hosts) > 50
	a.Name, b.Name, a.Hosts, b.Hosts = "", "", nil, nil
	return !one && key(a) == key(b)
}

// valid takes entries out that our resource would refuse, and says why.
func (w *world) valid(u *unit, p *policy.Policy) {
	for {
		i, j, why := -1, -1, ""
		for _, problem := range policy.Validate(*p, w.mesh()) {
			if problem.Warning {
				continue
			}
			why = strings.TrimSuffix(problem.Summary+": "+problem.Detail, ".")
			if len(problem.Path) >= 2 && problem.Path[0] == "egress_rules" {
				i, _ = problem.Path[1].(int)
				if len(problem.Path) >= 4 && problem.Path[2] == "to" {
					j, _ = problem.Path[3].(int)
				}
			}
			break
		}
		switch {
		case why == "":
			return
		case i < 0:
			w.report.add(LeftOut, u.object, fields.Field{}, "the policy in its place would be refused: %s", why)
			p.EgressRules = nil
			return
		case j < 0:
			w.refused(u, p.EgressRules[i].To, why)
			p.EgressRules = slices.Delete(p.EgressRules, i, i+1)
		default:
			w.refused(u, p.EgressRules[i].To[j:j+1], why)
			p.EgressRules[i].To = slices.Delete(p.EgressRules[i].To, j, j+1)
			if len(p.EgressRules[i].To) == 0 {
				p.EgressRules = slices.Delete(p.EgressRules, i, i+1)
			}
		}
		if len(p.EgressRules) == 0 {
			return
		}
	}
}

func (w *world) refused(u *unit, entries []policy.To, why string) {
	for _, to := range entries {
		w.report.add(LeftOut, u.object, fields.Field{}, "%s:%d: %s", strings.Join(to.Hosts, ", "), to.Port.Number, why)
	}
}

// newGateways returns the gateways that the flows go through.
func (w *world) newGateways(flows []*flow) []Gateway {
	var seen []via
	var all []Gateway
	for _, f := range flows {
		if f.via == (via{}) || slices.Contains(seen, f.via) {
			continue
		}
		seen = append(seen, f.via)
		svc := w.service(f.via)
		d := w.deploymentOf(svc)
		g := Gateway{Intent: newGateway(w.gatewayName(f.via), w.options.GatewayNamespace, svc, d)}
		if svc != nil {
			w.workloadOf(svc.object)
			g.InPlaceOf = append(g.InPlaceOf, svc.id())
		}
		if d != nil {
			w.workloadOf(d.object)
			g.InPlaceOf = append(g.InPlaceOf, d.id())
		}
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b Gateway) int { return cmp.Compare(a.Intent.Name, b.Intent.Name) })
	return all
}

// workloadOf reports what a new gateway has not of an old one's objects.
func (w *world) workloadOf(o *object) {
	w.goThrough(o.head)
	for _, problem := range o.head.blocked {
		w.report.put(o.finding(LeftOut, problem))
	}
}

// maxGatewayName is the length of a gateway's name.
const maxGatewayName = 32

// gatewayName returns the name of the gateway in place of a hand-written one:
// the same, unless something in its namespace has it, or Gateways that are
// there select its pods.
func (w *world) gatewayName(v via) string {
	name := label(v.name)
	if len(name) > maxGatewayName {
		name = strings.TrimRight(name[:maxGatewayName], "-")
	}
	there := func(o *object) bool { return o.name == name && o.namespace == w.options.GatewayNamespace }
	taken := there(&object{name: v.name, namespace: v.namespace}) ||
		slices.ContainsFunc(w.services, func(svc *service) bool { return there(svc.object) }) ||
		slices.ContainsFunc(w.workload, func(d *deployment) bool { return there(d.object) }) || slices.ContainsFunc(w.gateways, func(g *gateway) bool {
		return g.selector[compile.GatewayLabel] == name
	})
	if taken {
		name = name[:min(len(name), maxGatewayName-len("-2"))] + "-2"
	}
	return name
}

// label writes a text as a DNS label that begins with a letter.
func label(text string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(text) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			out.WriteRune(r)
		} else {
			out.WriteByte('-')
		}
	}
	name := strings.Trim(out.String(), "-")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "to-" + name
	}
	return strings.TrimRight(name[:min(len(name), maxName)], "-")
}

// maxName leaves room in a name of 59 characters for what tells it apart.
const maxName = 50

// unique returns a name that is not taken yet: itself, with a suffix, with a
// number.
func unique(taken map[string]bool, name, suffix string) string {
	candidate := name
	if taken[candidate] && suffix != "" {
		candidate = label(name + "-" + suffix)
	}
	for i := 2; taken[candidate]; i++ {
		candidate = fmt.Sprintf("%s-%d", name, i)
	}
	taken[candidate] = true
	return candidate
}

// key tells values apart.
func key(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic("adopt: " + err.Error()) // plain structs
	}
	return string(text)
}
