# METADATA
# title: Rules for egress
# description: |
#   What a plan, or the objects of a policy, may have. The input is a plan as
#   `terraform show -json` writes it, the same within HCP Terraform's `plan`, or one
#   Kubernetes object. Package and names are those of conftest.
package main

import rego.v1

# A host is one of these, or below one of them.
allowed_domains := {"partner.example", "httpbin.org"}

allowed(host) if {
	some domain in allowed_domains
	host == domain
}

allowed(host) if {
	some domain in allowed_domains
	endswith(host, concat("", [".", domain]))
}

# Plans: what will be there after an apply, changed by it or not.

plan := object.get(input, "plan", input)

after(type) := {change.address: change.change.after |
	some change in plan.resource_changes
	change.mode == "managed"
	change.type == type
	change.change.after != null
}

deny contains message if {
	some address, policy in after("istio_egress_traffic_policy")
	not is_object(object.get(policy, "by_egress_gateway", null))
	message := sprintf("%s: goes out without a gateway; set by_egress_gateway", [address])
}

deny contains message if {
	some address, policy in after("istio_egress_traffic_policy")
	is_object(policy.by_egress_gateway)
	some rule in policy.egress_rules
	some source in rule.from
	count(accounts(source)) == 0
	message := sprintf("%s: any account of namespace %s may use it; name service_accounts", [address, source.namespace])
}

accounts(source) := source.service_accounts if is_array(source.service_accounts)

else := []

deny contains message if {
	some address, policy in after("istio_egress_traffic_policy")
	some entry in policy.egress_rules[_].to
	some host in entry.hosts
	not allowed(host)
	message := sprintf("%s: %s is not in an allowed domain", [address, host])
}

deny contains message if {
	some address, policy in after("istio_egress_traffic_policy")
	some entry in policy.egress_rules[_].to
	entry.port.protocol == "HTTP"
	not entry.https_upgrade.enabled
	message := sprintf("%s: entry %s leaves in plain text; set https_upgrade", [address, entry.name])
}

deny contains message if {
	some address, policy in after("istio_egress_traffic_policy")
	some entry in policy.egress_rules[_].to
	entry.tls.insecure_skip_verify
	message := sprintf("%s: entry %s takes any certificate", [address, entry.name])
}

deny contains message if {
	some address, policy in after("istio_egress_traffic_policy")
	policy.unselected_workloads == "direct"
	message := sprintf("%s: other workloads reach its hosts without the gateway; unselected_workloads must be deny", [address])
}

deny contains message if {
	some address, gateway in after("istio_egress_gateway")
	gateway.authorization != "allow_listed"
	message := sprintf("%s: admits whom no policy admits; authorization must be allow_listed", [address])
}

deny contains message if {
	some address, policy in after("istio_outbound_traffic_policy")
	policy.mode != "REGISTRY_ONLY"
	message := sprintf("%s: opens %s to undeclared hosts", [address, scope(policy)])
}

scope(policy) := sprintf("namespace %s", [policy.namespace]) if is_string(policy.namespace)

else := "the mesh"

# Objects, such as egress_manifests renders.

object_id := sprintf("%s %s/%s", [input.kind, input.metadata.namespace, input.metadata.name])

deny contains message if {
	input.kind == "Gateway"
	some server in input.spec.servers
	count(object.get(server, ["tls", "subjectAltNames"], [])) == 0
	message := sprintf("%s: port %d asks nobody for his service account", [object_id, server.port.number])
}

deny contains message if {
	input.kind == "ServiceEntry"
	some host in input.spec.hosts
	not allowed(host)
	message := sprintf("%s: %s is not in an allowed domain", [object_id, host])
}

deny contains message if {
	input.kind == "DestinationRule"
	walk(input.spec, [path, true])
	path[count(path) - 1] == "insecureSkipVerify"
	message := sprintf("%s: takes any certificate", [object_id])
}
