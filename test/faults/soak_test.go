package faults

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/test/faults/core"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

const (
	soakWorkspaces = 4
	soakPolicies   = 4 // of each workspace
)

// TestSoak lets four workspaces create, edit and destroy policies on one
// gateway, at the same time, while objects are deleted and edited behind their
// backs and every other request of an apply may go wrong. In the end there are
// exactly the objects that the states say.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("make soak MINUTES=30")
	}
	f := acctest.New(t)
	first := newWorld(t, f, 0)
	var all sync.WaitGroup
	var spaces []*soaker
	for i := range soakWorkspaces {
		w := *first
		w.proxy = mustProxy(t, f)
		s := &soaker{t: t, world: &w, name: fmt.Sprintf("w%d", i), random: rand.New(rand.NewPCG(1, uint64(i))), tally: newSoakTally()}
		spaces = append(spaces, s)
		all.Go(func() { s.run(time.Now().Add(*soak)) })
	}
	all.Wait()
	sum := newSoakTally()
	for _, s := range spaces {
		s.settle()
		sum.add(s.tally)
	}

	stated := map[string]bool{}
	for _, s := range spaces {
		for _, p := range s.policies {
			for key := range p.ws.Strings("manifests") {
				if !strings.HasPrefix(key, "Gateway/") {
					stated[key] = true
				}
			}
			for _, port := range p.ws.Strings("gateway_ports") {
				stated["Gateway/"+first.egress+"/egw-"+port] = true
			}
		}
	}
	live := first.live(policy.kinds)
	for o, body := range live {
		key := body.GetKind() + "/" + o.namespace + "/" + o.name
		if !stated[key] {
			owner, _ := cluster.OwnerOf(body)
			t.Errorf("%s lives, of %s (%s), and no state says so", key, owner, owner.Nonce)
			for _, s := range spaces {
				for _, p := range s.policies {
					p.failed = p.failed || strings.HasSuffix(owner.ImportID, "/"+p.name)
				}
			}
		}
		delete(stated, key)
	}
	for key := range stated {
		t.Errorf("%s stands in a state, and does not live", key)
	}
	t.Logf("%d objects in the end", len(live))
	objects := len(live)
	for _, open := range guardOfRoutes(first, live) {
		t.Error(open)
	}
	for _, s := range spaces {
		for _, p := range s.policies {
			if diags := p.ws.Apply(t.Context(), nil); len(diags.Errors()) > 0 {
				t.Errorf("destroy: %s", diags)
			}
		}
	}
	if left := first.live(policy.kinds); len(left) > 0 {
		t.Errorf("destroyed, and left: %s", names(left))
	}
	for o, before := range first.snapshot {
		if first.look([]object{o})[o] != before {
			t.Errorf("touched: %s", o)
		}
	}
	if t.Failed() {
		for _, s := range spaces {
			for _, p := range s.policies {
				if p.failed {
					t.Logf("what happened to %s:\n  %s", p.name, strings.Join(p.history, "\n  "))
				}
			}
		}
	}
	sum.write(t, objects)
}

func mustProxy(t *testing.T, f *acctest.Fixture) *proxy.Proxy {
	t.Helper()
	p, err := proxy.Start(f.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// soaker is one workspace of the soak.
type soaker struct {
	*world
	t        *testing.T
	name     string
	random   *rand.Rand
	policies []*soaked
	tally    soakTally
}

// soaked is one instance in it.
type soaked struct {
	name   string
	ws     *core.Workspace
	wanted core.Object
	// known are the nonces of the owners that its saved states have known.
	known map[string]bool
	// unknown is set while there are objects of a create that no state knows of,
	// as it was killed: nobody but another create finds them.
	unknown bool
	// history is what was done with it, failed whether that came to no good end.
	history []string
	failed  bool
}

func (s *soaker) run(until time.Time) {
	for i := range soakPolicies {
		s.policies = append(s.policies, &soaked{name: fmt.Sprintf("%s-%d", s.name, i), ws: s.workspace(policy.typ)})
		s.policies[i].ws.Provider["owner_id"] = s.name
	}
	for time.Now().Before(until) {
		p := s.policies[s.random.IntN(len(s.policies))]
		switch s.random.IntN(8) {
		case 0:
			if p.wanted = nil; p.unknown {
				continue
			}
		case 1, 2:
			p.wanted = s.edited(p.name)
		case 3, 4:
			p.wanted = policy.before(s.world, p.name)
		case 5, 6:
			s.drift(p)
		}
		s.proxy.Arm(s.trouble()...)
		before := p.ws.Save()
		killed := s.random.IntN(20) == 0
		doing := doingOf(p.ws, p.wanted)
		diags := p.ws.Apply(s.t.Context(), p.wanted)
		s.tally.applied(doing, len(diags.Errors()) > 0)
		met := s.tally.faults(s.proxy.Journal())
		s.proxy.Arm()
		if killed {
			// Its state was never saved. An update or a destroy goes on from the
			// old one, a create by its owner_id.
			p.ws.Restore(before)
			s.tally.lost++
		}
		live := s.nonces(p)
		if !killed && p.ws.Exists {
			p.known = live
		}
		p.unknown = false
		for nonce := range live {
			p.unknown = p.unknown || !p.known[nonce]
		}
		p.history = append(p.history, fmt.Sprintf("%s, met %v, state lost %v: exists %v, tainted %v, live of %v, unknown %v: %s",
			doing, met, killed, p.ws.Exists, p.ws.Tainted, slices.Sorted(maps.Keys(live)), p.unknown, firstLines(diags.Errors().String())))
	}
}

// nonces are those that the live objects of an instance name.
func (s *soaker) nonces(p *soaked) map[string]bool {
	found := map[string]bool{}
	for _, body := range s.live(policy.kinds) {
		if owner, _ := cluster.OwnerOf(body); strings.HasSuffix(owner.ImportID, "/"+p.name) {
			found[owner.Nonce] = true
		}
	}
	return found
}

func firstLines(text string) string {
	lines := strings.SplitN(text, "\n", 3)
	return strings.Join(lines[:min(2, len(lines))], " ")
}

// edited is the other configuration of a policy, with an address of its own:
// one that two hosts have is a conflict.
func (s *soaker) edited(name string) core.Object {
	config := policy.after(s.world, name)
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name))
	rule, _ := config["egress_rules"].([]any)[0].(core.Object)
	for _, entry := range rule["to"].([]any) {
		if entry, _ := entry.(core.Object); entry["addresses"] != nil {
			entry["addresses"] = []any{fmt.Sprintf("198.18.%d.%d", hash.Sum32()>>8&255, hash.Sum32()&255)}
		}
	}
	return config
}

// trouble is what goes wrong in an apply.
func (s *soaker) trouble() []proxy.Rule {
	faults := []proxy.Fault{
		proxy.Reset, proxy.Lost(proxy.Reset), proxy.Abort, proxy.Lost(proxy.Abort), proxy.Cut, proxy.Truncate, proxy.GoAway,
		proxy.Status(429, metav1.StatusReasonTooManyRequests, "too many requests", time.Second),
		status(503, metav1.StatusReasonServiceUnavailable, "starting"), status(500, metav1.StatusReasonInternalError, "etcdserver: leader changed"),
		proxy.Lost(status(504, metav1.StatusReasonTimeout, "timed out")), status(403, metav1.StatusReasonForbidden, "not now"),
		status(422, metav1.StatusReasonInvalid, "no"), proxy.Reply(200, "text/html", "<html>log in</html>"),
	}
	var rules []proxy.Rule
	for range s.random.IntN(4) {
		rules = append(rules, proxy.Rule{
			When: proxy.All, Skip: s.random.IntN(60), Times: 1 + s.random.IntN(3), Fault: faults[s.random.IntN(len(faults))],
		})
	}
	return rules
}

// drift deletes or edits one object of an instance behind its back.
func (s *soaker) drift(p *soaked) {
	for o, body := range s.live(policy.kinds) {
		owner, _ := cluster.OwnerOf(body)
		if !strings.HasSuffix(owner.ImportID, "/"+p.name) {
			continue
		}
		if s.random.IntN(2) == 0 {
			s.tally.drift["object deleted"]++
			p.history = append(p.history, "deleted: "+o.String())
			s.remove(o)
			return
		}
		s.tally.drift["object edited"]++
		p.history = append(p.history, "edited: "+o.String())
		s.edit(o, func(live *unstructured.Unstructured) {
			if o.kind == services {
				_ = unstructured.SetNestedField(live.Object, "elsewhere", "spec", "selector", "app")
				return
			}
			_ = unstructured.SetNestedStringSlice(live.Object, []string{"*"}, "spec", "exportTo")
			live.SetLabels(map[string]string{compile.LabelManagedBy: compile.ProviderName, "edited": "yes"})
			if o.kind == gateways {
				unstructured.RemoveNestedField(live.Object, "spec", "exportTo")
			}
		})
		return
	}
}

// settle brings what is wanted about, without trouble.
func (s *soaker) settle() {
	s.proxy.Arm()
	for _, p := range s.policies {
		if p.unknown && p.wanted == nil {
			p.wanted = policy.before(s.world, p.name)
		}
		if diags := p.ws.Apply(s.t.Context(), p.wanted); len(diags.Errors()) > 0 {
			s.t.Errorf("%s: the last apply fails: %s", p.name, diags)
			p.failed = true
			continue
		}
		if p.wanted == nil {
			continue
		}
		plan, diags := p.ws.Plan(s.t.Context(), p.wanted)
		if len(diags.Errors()) > 0 || plan.Action != core.NoOp {
			p.failed = true
			s.t.Errorf("%s: the last plan is %s, drift %v: %s", p.name, plan.Action, p.ws.Strings("drift"), diags)
		}
	}
}
