terraform {
  required_version = ">= 1.8"

  required_providers {
    istio = {
      source = "meshegress/istio"
    }
  }
}
