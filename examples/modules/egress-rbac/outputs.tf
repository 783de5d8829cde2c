output "objects" {
  description = "The objects by `Kind/namespace/name`, such as for `kubernetes_manifest`."
  value       = { for o in local.objects : join("/", compact([o.kind, try(o.metadata.namespace, null), o.metadata.name])) => o }
}

output "yaml" {
  description = "The same as one stream, for `kubectl apply -f -`."
  value       = join("---\n", [for o in local.objects : yamlencode(o)])
}
