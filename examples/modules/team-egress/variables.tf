variable "team" {
  description = "Name of the team. The policies are called `<team>-<key of egress>`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", var.team))
    error_message = "team: lower case letters, digits and `-`, such as shop; not \"${var.team}\"."
  }
}

variable "gateway" {
  description = "The egress gateway: `reference` of an istio_egress_gateway, or output `gateway` of module egress-baseline."
  type = object({
    name            = string
    namespace       = optional(string)
    selector        = optional(map(string))
    mutual_tls      = optional(bool)
    authorization   = optional(string)
    revision        = optional(string)
    service_account = optional(string)
  })
  nullable = false

  validation {
    # Without mutual TLS the gateway knows nobody, and the service accounts below mean nothing.
    condition     = var.gateway.mutual_tls != false
    error_message = "gateway: ${var.gateway.name} has mutual_tls = false. It cannot check service accounts, which this module asks for."
  }
}

variable "egress" {
  description = "Who may go where, one policy per key: workloads of `namespace` with `labels` that run as one of `service_accounts` may reach the URLs in `to`. `addresses` are the IPs of a `tcp` host name; with `upgrade` the gateway speaks TLS to port 443 of the `http` hosts."
  type = map(object({
    namespace        = string
    labels           = optional(map(string))
    service_accounts = set(string)
    to               = set(string)
    addresses        = optional(map(list(string)), {})
    upgrade          = optional(bool, false)
  }))
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.egress) : can(regex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", key))])
    error_message = "egress: a key is lower case letters, digits and `-`, as it is part of the policy's name. Not: ${join(", ", [for key in keys(var.egress) : key if !can(regex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", key))])}."
  }
  validation {
    condition     = alltrue([for rule in var.egress : length(rule.service_accounts) > 0])
    error_message = "egress: labels only decide whose traffic is routed; name the service_accounts that the gateway lets in. Missing in: ${join(", ", [for key, rule in var.egress : key if length(rule.service_accounts) == 0])}."
  }
  validation {
    condition     = alltrue([for rule in var.egress : length(rule.to) > 0])
    error_message = "egress: nothing in `to` of: ${join(", ", [for key, rule in var.egress : key if length(rule.to) == 0])}."
  }
  validation {
    condition     = alltrue(flatten([for rule in var.egress : [for url in rule.to : can(regex("^(https?|(http2|grpc|tls|tcp)://[^:/]+:[0-9]+$)", url))]]))
    error_message = "egress: a URL begins with http://, https://, http2://, grpc://, tls:// or tcp://, and all but the first two say a port. Not: ${join(", ", flatten([for key, rule in var.egress : [for url in rule.to : "${url} (${key})" if !can(regex("^(https?|(http2|grpc|tls|tcp)://[^:/]+:[0-9]+$)", url))]]))}."
  }
  validation {
    condition     = alltrue(flatten([for rule in var.egress : [for url in rule.to : can(regex("^[a-z0-9]+://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$", url))]]))
    error_message = "egress: after the scheme comes a host name in lower case, and a port or nothing. A path cannot be held to, a wildcard needs `resolve_to` of a policy of your own. Not: ${join(", ", flatten([for key, rule in var.egress : [for url in rule.to : "${url} (${key})" if !can(regex("^[a-z0-9]+://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$", url))]]))}."
  }
  validation {
    condition     = alltrue(flatten([for rule in var.egress : [for host in keys(rule.addresses) : anytrue([for url in rule.to : can(regex("^tcp://${replace(host, ".", "\\.")}:", url))])]]))
    error_message = "egress: `addresses` are those of hosts with a tcp:// URL in `to`. Not: ${join(", ", flatten([for key, rule in var.egress : [for host in keys(rule.addresses) : "${host} (${key})" if !anytrue([for url in rule.to : can(regex("^tcp://${replace(host, ".", "\\.")}:", url))])]]))}."
  }
}

variable "unselected_workloads" {
  description = "What other workloads of the namespaces get for these hosts: `deny`, or `direct`."
  type        = string
  default     = "deny"
  nullable    = false

  validation {
    condition     = contains(["deny", "direct"], var.unselected_workloads)
    error_message = "unselected_workloads: deny or direct, not \"${var.unselected_workloads}\"."
  }
}
