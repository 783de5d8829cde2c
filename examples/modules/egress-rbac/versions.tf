# No provider: what this module makes is text, for whoever administers the cluster.
terraform {
  required_version = ">= 1.8"
}
