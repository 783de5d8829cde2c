# One egress gateway, and ten policies as a company has them. `make pictures` draws
# what `terraform plan` prints of this, for README.md, and who reaches what, for the
# docs of the function egress_graph.

resource "istio_egress_gateway" "a" {
  name      = "egressgateway-a"
  namespace = "istio-egress"
}

locals {
  gateway = istio_egress_gateway.a.reference
  https   = { name = "https", number = 443, protocol = "HTTPS" }
}

resource "istio_egress_traffic_policy" "payments" {
  name              = "payments"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = { app = "checkout" }, service_accounts = ["checkout"] }]
    to   = [{ name = "stripe", hosts = ["api.stripe.com", "files.stripe.com"], port = local.https }]
  }]
}

resource "istio_egress_traffic_policy" "fraud_score" {
  name              = "fraud-score"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = { app = "checkout" }, service_accounts = ["checkout"] }]
    # The workload speaks plain HTTP to its sidecar, the gateway TLS to the host.
    to = [{
      name          = "score"
      hosts         = ["score.riskdata.example"]
      port          = { name = "http", number = 80, protocol = "HTTP" }
      https_upgrade = { enabled = true, port = 443 }
      timeout       = "2s"
    }]
  }]
}

resource "istio_egress_traffic_policy" "shipping" {
  name              = "shipping"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [
      { namespace = "shop", workload_selector = { app = "orders" }, service_accounts = ["orders"] },
      { namespace = "shop", workload_selector = { app = "returns" }, service_accounts = ["returns"] },
    ]
    to = [{ name = "carriers", hosts = ["api.dhl.com", "onlinetools.ups.com"], port = local.https }]
  }]
}

resource "istio_egress_traffic_policy" "mail" {
  name              = "mail"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [{ namespace = "shop", workload_selector = { app = "notifier" }, service_accounts = ["notifier"] }]
    to = [{
      name      = "smtp"
      hosts     = ["smtp.mailer.example"]
      addresses = ["203.0.113.25"]
      port      = { name = "tcp-smtp", number = 587, protocol = "TCP" }
    }]
  }]
}

resource "istio_egress_traffic_policy" "ledger" {
  name              = "ledger"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [{ namespace = "billing", workload_selector = { app = "ledger" }, service_accounts = ["ledger"] }]
    to = [{
      name      = "postgres"
      hosts     = ["ledger.db.partner.example"]
      addresses = ["203.0.113.54"]
      port      = { name = "tcp-postgres", number = 5432, protocol = "TCP" }
    }]
  }]
}

resource "istio_egress_traffic_policy" "vat" {
  name              = "vat"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [{ namespace = "billing", workload_selector = { app = "invoices" }, service_accounts = ["invoices"] }]
    to   = [{ name = "vies", hosts = ["ec.europa.eu"], port = local.https }]
  }]
}

resource "istio_egress_traffic_policy" "payouts" {
  name              = "payouts"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [{ namespace = "billing", workload_selector = { app = "payouts" }, service_accounts = ["payouts"] }]
    to   = [{ name = "bank", hosts = ["203.0.113.10"], port = { name = "tcp-sftp", number = 22, protocol = "TCP" } }]
  }]
}

resource "istio_egress_traffic_policy" "traces" {
  name              = "traces"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [{ namespace = "platform", workload_selector = { app = "otel-collector" }, service_accounts = ["otel-collector"] }]
    to   = [{ name = "otlp", hosts = ["otlp.observe.example"], port = local.https }]
  }]
}

resource "istio_egress_traffic_policy" "wiki" {
  name              = "wiki"
  by_egress_gateway = local.gateway
  egress_rules = [{
    from = [{ namespace = "platform", workload_selector = {} }]
    to = [{
      name       = "wikipedia"
      hosts      = ["*.wikipedia.org"]
      resolve_to = "www.wikipedia.org"
      port       = { name = "tls", number = 443, protocol = "TLS" }
    }]
  }]
}

# Direct: declared, so that a closed mesh lets it through, and not by the gateway.
resource "istio_egress_traffic_policy" "packages" {
  name = "packages"
  egress_rules = [{
    from = [{ namespace = "platform", workload_selector = {} }]
    to   = [{ name = "debian", hosts = ["deb.debian.org"], port = { name = "http", number = 80, protocol = "HTTP" } }]
  }]
}

locals {
  access = setunion(
    istio_egress_traffic_policy.payments.grants,
    istio_egress_traffic_policy.fraud_score.grants,
    istio_egress_traffic_policy.shipping.grants,
    istio_egress_traffic_policy.mail.grants,
    istio_egress_traffic_policy.ledger.grants,
    istio_egress_traffic_policy.vat.grants,
    istio_egress_traffic_policy.payouts.grants,
    istio_egress_traffic_policy.traces.grants,
    istio_egress_traffic_policy.wiki.grants,
    istio_egress_traffic_policy.packages.grants,
  )
}

# All access in one place, at the end of each plan: what an approver reads first.
output "access" { value = local.access }
