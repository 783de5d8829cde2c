variable "namespace" {
  description = "Namespace of the gateways. It must exist."
  type        = string
  default     = "istio-egress"
  nullable    = false

  validation {
    condition     = var.namespace != "istio-system"
    error_message = "namespace: istio-system is Istio's root namespace; what stands there acts on the whole mesh. Give the gateways a namespace of their own."
  }
}

variable "gateways" {
  description = "The gateways by name, such as one for partners, on nodes whose addresses the partners admit, and one for everything else."
  type = map(object({
    min_replicas  = optional(number, 2)
    max_replicas  = optional(number, 5)
    node_selector = optional(map(string))
    tolerations = optional(list(object({
      key      = optional(string)
      operator = optional(string)
      value    = optional(string)
      effect   = optional(string)
    })))
    labels = optional(map(string))
  }))
  nullable = false

  validation {
    condition     = length(var.gateways) > 0
    error_message = "gateways: name at least one."
  }
  validation {
    condition     = alltrue([for name in keys(var.gateways) : can(regex("^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$", name))])
    error_message = "gateways: a name is at most 32 lower case letters, digits and `-`, beginning with a letter. Not: ${join(", ", [for name in keys(var.gateways) : name if !can(regex("^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$", name))])}."
  }
  validation {
    condition     = alltrue([for g in var.gateways : g.min_replicas >= 1 && g.max_replicas >= g.min_replicas])
    error_message = "gateways: min_replicas is at least 1, max_replicas not below it. Not: ${join(", ", [for name, g in var.gateways : name if !(g.min_replicas >= 1 && g.max_replicas >= g.min_replicas)])}."
  }
}

variable "revision" {
  description = "Revision of the control plane. Default: that of the provider block."
  type        = string
  default     = null
}
