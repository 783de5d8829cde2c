# For HCP Terraform: a policy set of kind OPA whose folder is this one.
policy "egress" {
  query             = "data.main.deny"
  enforcement_level = "mandatory"
}
