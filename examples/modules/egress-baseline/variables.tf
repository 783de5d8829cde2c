variable "name" {
  description = "Name of the gateway."
  type        = string
  default     = "egressgateway"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$", var.name))
    error_message = "name: at most 32 lower case letters, digits and `-`, beginning with a letter; not \"${var.name}\"."
  }
}

variable "namespace" {
  description = "Namespace of the gateway. It must exist, for gateways alone: a workload in it cannot be the source of a policy."
  type        = string
  default     = "istio-egress"
  nullable    = false

  validation {
    condition     = var.namespace != "istio-system"
    error_message = "namespace: istio-system is Istio's root namespace; what stands there acts on the whole mesh. Give the gateway a namespace of its own."
  }
}

variable "mode" {
  description = "What sidecars do with traffic to undeclared hosts. Begin with ALLOW_ANY where workloads go out already, and change to REGISTRY_ONLY when policies declare what they need."
  type        = string
  default     = "REGISTRY_ONLY"
  nullable    = false

  validation {
    condition     = contains(["REGISTRY_ONLY", "ALLOW_ANY"], var.mode)
    error_message = "mode: REGISTRY_ONLY closes, ALLOW_ANY leaves open; not \"${var.mode}\"."
  }
}

variable "closed_namespaces" {
  description = "Namespaces in which `mode` is set. Default: the whole mesh, which needs examples/rbac/mesh-scope.yaml."
  type        = set(string)
  default     = null

  validation {
    condition     = var.closed_namespaces == null ? true : length(var.closed_namespaces) > 0
    error_message = "closed_namespaces: an empty set closes nothing. Leave it out for the whole mesh, or name namespaces."
  }
}

variable "replicas" {
  description = "Pods of the gateway: from `min` to `max`, by CPU. One of them may be away at a time."
  type = object({
    min = optional(number, 2)
    max = optional(number, 5)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.replicas.min >= 1 && var.replicas.max >= var.replicas.min
    error_message = "replicas: at least 1, and `max` not below `min`; not ${var.replicas.min} to ${var.replicas.max}."
  }
}

variable "network_policy" {
  description = "Whether a NetworkPolicy lets only pods with a sidecar connect to the gateway."
  type        = bool
  default     = true
  nullable    = false
}

variable "revision" {
  description = "Revision of the control plane. Default: that of the provider block."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of every object of the gateway."
  type        = map(string)
  default     = null
}
