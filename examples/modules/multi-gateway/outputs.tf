output "gateways" {
  description = "What `by_egress_gateway` of a policy takes, by the gateways' names. The plan knows it."
  value       = { for name, gateway in istio_egress_gateway.this : name => gateway.reference }
}

output "service_hosts" {
  description = "DNS names of the gateways' Services, by the gateways' names."
  value       = { for name, gateway in istio_egress_gateway.this : name => gateway.service_host }
}
