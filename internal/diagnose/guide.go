package diagnose

import (
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/meshegress/terraform-provider-istio/internal/cluster"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
)

// Topic is a section of a guide that says more than a diagnostic can:
// `<guide>#<anchor>`. The test of this package looks for each one's heading.
type Topic string

// The sections that diagnostics lead to.
const (
	Unreachable  Topic = "troubleshooting#the-cluster-does-not-answer"
	Forbidden    Topic = "troubleshooting#a-permission-is-missing"
	Exists       Topic = "troubleshooting#an-object-exists-already"
	Killed       Topic = "troubleshooting#a-create-was-killed"
	Conflict     Topic = "troubleshooting#a-policy-meets-another-object"
	PortTaken    Topic = "troubleshooting#a-port-is-taken"
	ChangedSince Topic = "troubleshooting#changed-after-the-plan"
	NoGateway    Topic = "troubleshooting#the-gateway-does-not-exist"
	NotReady     Topic = "troubleshooting#the-gateway-does-not-become-ready"
	InUse        Topic = "troubleshooting#the-gateway-is-in-use"
	StillThere   Topic = "troubleshooting#objects-are-still-being-deleted"
	TrustDomain  Topic = "troubleshooting#the-trust-domain-is-not-that-of-the-mesh"
	NoFirewall   Topic = "threat-model#registry_only-is-no-firewall"
	Ambient      Topic = "threat-model#ambient-mode"
)

// guides is where the registry shows docs/guides.
const guides = "https://registry.terraform.io/providers/meshegress/istio/latest/docs/guides/"

// With returns a detail that ends in the address of the topic.
func (t Topic) With(detail string) string {
	return detail + "\n\nMore: " + guides + string(t)
}

// Problems is Problems for those that the topic is about. Of many of a kind at
// one attribute it shows the first ones, and says how many there are.
func (t Topic) Problems(problems []compile.Problem) diag.Diagnostics {
	told := firstOfEach(problems)
	for i := range told {
		told[i].Topic = string(t)
	}
	return Problems(told)
}

// atOnce is how many problems of a kind are shown at one attribute: a host that a
// thousand policies claim is one mistake.
const atOnce = 3

// firstOfEach returns the first problems of each kind at each attribute, the last
// of which says how many it leaves out.
func firstOfEach(problems []compile.Problem) []compile.Problem {
	type kind struct {
		path, summary string
		warning       bool
	}
	var told []compile.Problem
	last := map[kind]int{}
	met := map[kind]int{}
	for _, p := range problems {
		k := kind{Path(p.Path).String(), p.Summary, p.Warning}
		if met[k]++; met[k] <= atOnce {
			last[k] = len(told)
			told = append(told, p)
		}
	}
	for k, n := range met {
		if n > atOnce {
			told[last[k]].Detail += fmt.Sprintf("\n\nThere are %d more of this kind here.", n-atOnce)
		}
	}
	return told
}

// topicOf returns the section about an error of the engine, or of one that
// names it; none if its own text is all there is to say.
func topicOf(err error) (Topic, bool) {
	var (
		own interface {
			error
			Topic() Topic
		}
		foreign      *cluster.ForeignError
		changed      *cluster.ConflictError
		taken        *cluster.FieldTakenError
		remains      *cluster.RemainsError
		waited       *cluster.WaitError
		incompatible *cluster.IncompatibleError
	)
	switch {
	case errors.As(err, &own):
		return own.Topic(), true
	case errors.As(err, &foreign):
		return Exists, true
	case errors.As(err, &changed), errors.As(err, &taken):
		return ChangedSince, true
	case errors.As(err, &remains):
		return StillThere, true
	case errors.As(err, &waited):
		return NotReady, true
	case errors.As(err, &incompatible):
		return TrustDomain, true
	case cluster.IsUnreachable(err):
		return Unreachable, true
	case cluster.LacksPermission(err):
		return Forbidden, true
	}
	return "", false
}
