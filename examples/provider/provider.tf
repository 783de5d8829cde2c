terraform {
  required_providers {
    istio = {
      source = "meshegress/istio"
    }
  }
}

# The attributes and environment variables are those of hashicorp/kubernetes, so
# the block of that provider can be copied. There is no default: without a path,
# a host or one of the environment variables no cluster is talked to.
provider "istio" {
  config_path    = "~/.kube/config"
  config_context = "production"
}
