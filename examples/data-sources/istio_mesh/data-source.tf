data "istio_mesh" "this" {}

# Who may still reach hosts that nobody declared.
output "open" {
  value = [for o in data.istio_mesh.this.outbound : "${o.scope} ${coalesce(o.namespace, "-")}" if o.mode != "REGISTRY_ONLY"]
}

check "egress" {
  assert {
    condition     = data.istio_mesh.this.egress_enforced
    error_message = "Some sidecars let traffic to undeclared hosts out."
  }
}
