variable "name" {
  description = "Prefix of the bindings' names. Two sets of identities in one cluster need two names."
  type        = string
  default     = "terraform-provider-istio"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", var.name))
    error_message = "name: lower case letters, digits and `-`, such as terraform-provider-istio."
  }
}

variable "writers" {
  description = "Who applies: Users, Groups or ServiceAccounts. The default is the ServiceAccount of examples/rbac, which is then among the objects."
  type = list(object({
    kind      = string
    name      = string
    namespace = optional(string)
  }))
  default  = [{ kind = "ServiceAccount", name = "terraform-provider-istio", namespace = "terraform" }]
  nullable = false

  validation {
    condition     = alltrue([for s in var.writers : contains(["User", "Group", "ServiceAccount"], s.kind)])
    error_message = "writers: `kind` is User, Group or ServiceAccount, not ${join(", ", [for s in var.writers : s.kind if !contains(["User", "Group", "ServiceAccount"], s.kind)])}."
  }
  validation {
    condition     = alltrue([for s in var.writers : (s.kind == "ServiceAccount") == (s.namespace != null)])
    error_message = "writers: a ServiceAccount has a namespace, Users and Groups have none: ${join(", ", [for s in var.writers : s.name if(s.kind == "ServiceAccount") != (s.namespace != null)])}."
  }
}

variable "readers" {
  description = "Who only plans, such as the identity of HCP Terraform's plan phase: they read, and write nothing."
  type = list(object({
    kind      = string
    name      = string
    namespace = optional(string)
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for s in var.readers : contains(["User", "Group", "ServiceAccount"], s.kind)])
    error_message = "readers: `kind` is User, Group or ServiceAccount, not ${join(", ", [for s in var.readers : s.kind if !contains(["User", "Group", "ServiceAccount"], s.kind)])}."
  }
  validation {
    condition     = alltrue([for s in var.readers : (s.kind == "ServiceAccount") == (s.namespace != null)])
    error_message = "readers: a ServiceAccount has a namespace, Users and Groups have none: ${join(", ", [for s in var.readers : s.name if(s.kind == "ServiceAccount") != (s.namespace != null)])}."
  }
}

variable "gateway_namespaces" {
  description = "Namespaces where the writers run gateways, and have the gateway's side of policies."
  type        = set(string)
  default     = ["istio-egress"]
  nullable    = false

  validation {
    condition     = !contains(var.gateway_namespaces, "istio-system")
    error_message = "gateway_namespaces: istio-system is Istio's root namespace; what stands there acts on the whole mesh. Give gateways a namespace of their own."
  }
}

variable "shared_gateway_namespaces" {
  description = "Namespaces where somebody else runs the gateways: the writers have the gateway's side of policies there, and neither pods nor Secrets."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "source_namespaces" {
  description = "Namespaces whose workloads go out through policies."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "mesh_scope" {
  description = "Whether the writers may edit the mesh config: an `istio_outbound_traffic_policy` without a namespace. It decides for every workload."
  type        = bool
  default     = false
  nullable    = false
}

variable "istio_namespace" {
  description = "Istio's root namespace."
  type        = string
  default     = "istio-system"
  nullable    = false
}

variable "revision" {
  description = "Revision of the control plane, whose mesh config is ConfigMap `istio-<revision>`. Default: the one without a revision."
  type        = string
  default     = null
}
