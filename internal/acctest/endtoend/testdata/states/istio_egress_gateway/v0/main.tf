resource "istio_egress_gateway" "least" {
  name             = "least"
  namespace        = "state-gateways"
  wait_for_rollout = false
}

resource "istio_egress_gateway" "most" {
  name        = "most"
  namespace   = "state-gateways"
  labels      = { team = "platform" }
  annotations = { "example.com/owner" = "platform" }
  ports = [
    { name = "http", port = 80, target_port = 8080, protocol = "TCP", app_protocol = "http" },
    { name = "tls", port = 8443 },
  ]
  service = {
    type                    = "ClusterIP"
    annotations             = { "cloud.example/internal" = "true" }
    labels                  = { tier = "edge" }
    internal_traffic_policy = "Cluster"
    session_affinity        = "ClientIP"
    ip_families             = ["IPv4"]
    ip_family_policy        = "SingleStack"
  }
  autoscaling = {
    min_replicas       = 1
    max_replicas       = 3
    cpu_utilization    = 70
    memory_utilization = 80
  }
  rolling_update = { max_unavailable = "0", max_surge = "50%" }
  resources = {
    requests = { cpu = "0.1", memory = "64Mi" }
    limits   = { cpu = "1" }
  }
  spread_across_nodes = true
  node_selector       = { "kubernetes.io/os" = "linux" }
  tolerations         = [{ key = "dedicated", operator = "Exists", effect = "NoExecute", toleration_seconds = 60 }]
  affinity = {
    node_affinity = {
      required_during_scheduling_ignored_during_execution = {
        node_selector_terms = [{ match_expressions = [{ key = "absent", operator = "DoesNotExist" }] }]
      }
    }
  }
  topology_spread_constraints = [
    { max_skew = 1, topology_key = "kubernetes.io/hostname", when_unsatisfiable = "ScheduleAnyway" },
  ]
  pod = {
    labels                           = { gateway-type = "egress" }
    env                              = { A = "a", EMPTY = "" }
    secret_volumes                   = [{ name = "certs", secret_name = "partner", mount_path = "/etc/partner", optional = true }]
    termination_grace_period_seconds = 1
    readiness_probe                  = { period_seconds = 5, failure_threshold = 4 }
    pre_stop                         = { sleep = { seconds = 1 } }
  }
  pod_disruption_budget = { max_unavailable = "50%" }
  network_policy        = true
  wait_for_rollout      = false
  timeouts              = { create = "3m", update = "3m" }
}
