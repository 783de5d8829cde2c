package main_test

import data.main
import rego.v1

planned(type, after) := {"resource_changes": [{
	"address": concat(".", [type, "x"]),
	"mode": "managed",
	"type": type,
	"change": {"actions": ["create"], "after": after},
}]}

policy := {
	"by_egress_gateway": {"name": "egressgateway-a"},
	"unselected_workloads": "deny",
	"egress_rules": [{
		"from": [{"namespace": "shop", "service_accounts": ["checkout"]}],
		"to": [{"name": "api", "hosts": ["api.partner.example"], "port": {"number": 443, "protocol": "HTTPS"}}],
	}],
}

test_a_policy_that_keeps_to_the_rules if {
	count(main.deny) == 0 with input as planned("istio_egress_traffic_policy", policy)
}

test_the_same_in_hcp_terraform if {
	open := object.union(policy, {"unselected_workloads": "direct"})
	count(main.deny) == 1 with input as {"plan": planned("istio_egress_traffic_policy", open), "run": {"id": "run-1"}}
}

test_a_host_that_only_looks_like_it if {
	not main.allowed("notpartner.example")
	not main.allowed("partner.example.attacker.example")
	main.allowed("partner.example")
	main.allowed("a.b.partner.example")
}

test_what_is_destroyed_breaks_no_rule if {
	count(main.deny) == 0 with input as {"resource_changes": [{
		"address": "istio_outbound_traffic_policy.x",
		"mode": "managed",
		"type": "istio_outbound_traffic_policy",
		"change": {"actions": ["delete"], "before": {"mode": "ALLOW_ANY"}, "after": null},
	}]}
}

test_what_stays_open_breaks_one if {
	main.deny == {"istio_outbound_traffic_policy.x: opens the mesh to undeclared hosts"} with input as {"resource_changes": [{
		"address": "istio_outbound_traffic_policy.x",
		"mode": "managed",
		"type": "istio_outbound_traffic_policy",
		"change": {"actions": ["no-op"], "after": {"mode": "ALLOW_ANY", "namespace": null}},
	}]}
}

test_a_server_without_accounts if {
	main.deny == {"Gateway istio-egress/g: port 10001 asks nobody for his service account"} with input as {
		"kind": "Gateway",
		"metadata": {"namespace": "istio-egress", "name": "g"},
		"spec": {"servers": [{"port": {"number": 10001}, "tls": {"mode": "ISTIO_MUTUAL"}}]},
	}
}
