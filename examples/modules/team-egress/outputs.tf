output "grants" {
  description = "Who may reach what, one line per grant, for a review."
  value       = sort(flatten([for policy in istio_egress_traffic_policy.this : tolist(policy.grants)]))
}

output "policies" {
  description = "Names of the policies, by the keys of `egress`."
  value       = { for key, policy in istio_egress_traffic_policy.this : key => policy.name }
}

output "gateway_ports" {
  description = "Ports on the pods of the gateway, by policy and `<entry>/<host>`: for a firewall between workloads and gateway. Known after apply."
  value       = { for policy in istio_egress_traffic_policy.this : policy.name => policy.gateway_ports }
}
