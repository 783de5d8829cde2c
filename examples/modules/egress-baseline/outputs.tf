output "gateway" {
  description = "What `by_egress_gateway` of a policy takes. The plan knows it."
  value       = istio_egress_gateway.this.reference
}

output "service_host" {
  description = "DNS name of the gateway's Service."
  value       = istio_egress_gateway.this.service_host
}

output "outbound" {
  description = "What holds for undeclared hosts, by `mesh` or namespace: `level`, `object` and `mode`."
  value       = { for scope, policy in istio_outbound_traffic_policy.this : scope => policy.effective_from }
}
