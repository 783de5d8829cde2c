package convert

import (
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
)

// asmPolicy is the custom resource of Alibaba Cloud Service Mesh.
// Source: https://www.alibabacloud.com/help/en/asm/sidecar/crd-fields-in-an-egress-traffic-policy
var asmPolicy = kind{"istio.alibabacloud.com/v1beta1", "ASMEgressTrafficPolicy"}

// asmNamespace is the one namespace in which ASM acts on policies.
const asmNamespace = "istio-egress"

var asmOrigins = origins{
	"name":                        "metadata.name",
	"by_egress_gateway.namespace": "metadata.namespace",
}

// ASMEgressTrafficPolicy converts an ASMEgressTrafficPolicy. The error is of
// type Problems.
func ASMEgressTrafficPolicy(text string) (policy.Policy, error) {
	d, err := read(text, asmPolicy)
	if err != nil {
		return policy.Policy{}, err
	}
	root := d.root.object()
	root.ignore("apiVersion", "kind", "status")
	name, namespace := metadata(root)
	p := policy.Policy{
		Name:                name,
		ByEgressGateway:     &compile.Reference{Namespace: asmNamespace},
		UnselectedWorkloads: policy.Deny,
	}
	if value := namespace.text(); value != nil && *value != asmNamespace {
		namespace.fail("%q, and ASM acts only on policies in namespace %s: this one grants nothing", *value, asmNamespace)
	}
	if spec := root.take("spec"); spec.there() {
		asmSpec(spec.object(), &p)
	} else {
		spec.required()
	}
	root.done()
	if len(d.problems) == 0 {
		asmOrigins.add(d, policy.Validate(p, compile.Mesh{}))
	}
	return p, d.problems.err()
}

func asmSpec(spec *object, p *policy.Policy) {
	gateway := spec.take("byEgressGateway")
	gateway.required()
	o := gateway.object()
	p.ByEgressGateway.Name = o.take("name").requiredText()
	o.take("port").refuse("the port belongs to the entries, to[].byEgressGateway.port; take it out here")
	o.done()

	rules := spec.take("egressRules")
	rules.required()
	for _, element := range rules.list() {
		p.EgressRules = append(p.EgressRules, asmRule(element.object()))
	}
	spec.done()
}

func asmRule(o *object) policy.Rule {
	rule := policy.Rule{Name: o.take("name").nonEmpty()}
	for _, element := range o.take("from").list() {
		source := element.object()
		rule.From = append(rule.From, policy.From{
			Namespace:        source.take("namespace").requiredText(),
			WorkloadSelector: source.take("workloadSelector").textMap(),
		})
		source.done()
	}
	for _, element := range o.take("to").list() {
		rule.To = append(rule.To, asmEntry(element.object()))
	}
	o.done()
	return rule
}

func asmEntry(o *object) policy.To {
	to := policy.To{
		Name:  o.take("name").requiredText(),
		Hosts: o.take("hosts").texts(),
	}
	port := o.take("port")
	port.required()
	p := port.object()
	to.Port = policy.Port{
		Name:     p.take("name").requiredText(),
		Number:   p.take("number").requiredInteger(),
		Protocol: p.take("protocol").requiredText(),
	}
	p.done()

	gateway := o.take("byEgressGateway").object()
	gateway.take("name").refuse("the gateway is that of the policy, spec.byEgressGateway.name; take it out here")
	// A port left blank is assigned; 0 is how the API writes blank.
	if port := gateway.take("port").integer(); port != nil && *port != 0 {
		to.ByEgressGateway = &policy.EntryGateway{Port: *port}
	}
	gateway.done()

	if upgrade := o.take("httpsUpgrade"); upgrade.there() {
		to.HTTPSUpgrade = asmUpgrade(upgrade.object())
	}
	o.done()
	return to
}

// asmUpgrade returns nil for an upgrade that is switched off without a port:
// ASM ignores the port then, and our attribute has to have one.
func asmUpgrade(o *object) *policy.HTTPSUpgrade {
	enabled, port := o.take("enabled"), o.take("port")
	o.done()
	enabled.required()
	on := enabled.boolean()
	if on == nil || (!*on && !port.there()) {
		return nil
	}
	return &policy.HTTPSUpgrade{Enabled: *on, Port: port.requiredInteger()}
}
