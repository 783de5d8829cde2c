package convert

import (
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/fields"
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
// type fields.Problems.
func ASMEgressTrafficPolicy(text string) (policy.Policy, error) {
	d, err := read(text, asmPolicy)
	if err != nil {
		return policy.Policy{}, err
	}
	root := d.root.Object()
	root.Ignore("apiVersion", "kind", "status")
	name, namespace := metadata(root)
	p := policy.Policy{
		Name:                name,
		ByEgressGateway:     &compile.Reference{Namespace: asmNamespace},
		UnselectedWorkloads: policy.Deny,
	}
	if value := namespace.Text(); value != nil && *value != asmNamespace {
		namespace.Fail("%q, and ASM acts only on policies in namespace %s: this one grants nothing", *value, asmNamespace)
	}
	if spec := root.Take("spec"); spec.There() {
		asmSpec(spec.Object(), &p)
	} else {
		spec.Required()
	}
	root.Done()
	if len(d.problems) == 0 {
		asmOrigins.add(d, policy.Validate(p, compile.Mesh{}))
	}
	return p, d.problems.Err()
}

func asmSpec(spec *fields.Object, p *policy.Policy) {
	gateway := spec.Take("byEgressGateway")
	gateway.Required()
	o := gateway.Object()
	p.ByEgressGateway.Name = o.Take("name").RequiredText()
	o.Take("port").Refuse("the port belongs to the entries, to[].byEgressGateway.port; take it out here")
	o.Done()

	rules := spec.Take("egressRules")
	rules.Required()
	for _, element := range rules.List() {
		p.EgressRules = append(p.EgressRules, asmRule(element.Object()))
	}
	spec.Done()
}

func asmRule(o *fields.Object) policy.Rule {
	rule := policy.Rule{Name: o.Take("name").NonEmpty()}
	for _, element := range o.Take("from").List() {
		source := element.Object()
		from := policy.From{
			Namespace:        source.Take("namespace").RequiredText(),
			WorkloadSelector: source.Take("workloadSelector").TextMap(),
		}
		if from.WorkloadSelector == nil {
			// ASM means all of them, which our attribute says.
			from.WorkloadSelector = map[string]string{}
		}
		rule.From = append(rule.From, from)
		source.Done()
	}
	for _, element := range o.Take("to").List() {
		rule.To = append(rule.To, asmEntry(element.Object()))
	}
	o.Done()
	return rule
}

func asmEntry(o *fields.Object) policy.To {
	to := policy.To{
		Name:  o.Take("name").RequiredText(),
		Hosts: o.Take("hosts").Texts(),
	}
	port := o.Take("port")
	port.Required()
	p := port.Object()
	to.Port = policy.Port{
		Name:     p.Take("name").RequiredText(),
		Number:   p.Take("number").RequiredInteger(),
		Protocol: p.Take("protocol").RequiredText(),
	}
	p.Done()

	gateway := o.Take("byEgressGateway").Object()
	gateway.Take("name").Refuse("the gateway is that of the policy, spec.byEgressGateway.name; take it out here")
	// A port left blank is assigned; 0 is how the API writes blank.
	if port := gateway.Take("port").Integer(); port != nil && *port != 0 {
		to.ByEgressGateway = &policy.EntryGateway{Port: *port}
	}
	gateway.Done()

	if upgrade := o.Take("httpsUpgrade"); upgrade.There() {
		to.HTTPSUpgrade = asmUpgrade(upgrade.Object())
	}
	o.Done()
	return to
}

// asmUpgrade returns nil for an upgrade that is switched off without a port:
// ASM ignores the port then, and our attribute has to have one.
func asmUpgrade(o *fields.Object) *policy.HTTPSUpgrade {
	enabled, port := o.Take("enabled"), o.Take("port")
	o.Done()
	enabled.Required()
	on := enabled.Boolean()
	if on == nil || (!*on && !port.There()) {
		return nil
	}
	return &policy.HTTPSUpgrade{Enabled: *on, Port: port.RequiredInteger()}
}
