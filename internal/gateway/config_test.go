package gateway_test

import "fmt"

// address is the gateway of most tests.
const address = "istio_egress_gateway.a"

// minimal is a gateway that says nothing but where it is.
func minimal(namespace string) string { return gateway(namespace, "") }

// gateway is a gateway with further attributes.
func gateway(namespace, attributes string) string {
	return fmt.Sprintf("resource \"istio_egress_gateway\" \"a\" {\n  name = \"a\"\n  namespace = %q\n%s\n}\n", namespace, attributes)
}

// everything sets every attribute that the test control plane can roll out.
func everything(namespace string) string {
	return gateway(namespace, `
  labels      = { team = "platform" }
  annotations = { "example.com/owner" = "platform" }
  ports = [
    { name = "http", port = 80, target_port = 8080, protocol = "TCP", app_protocol = "http" },
    { name = "tls", port = 8443, node_port = 30443 },
  ]
  service = {
    type                        = "LoadBalancer"
    annotations                 = { "cloud.example/internal" = "true" }
    labels                      = { tier = "edge" }
    load_balancer_ip            = "10.1.2.3"
    load_balancer_class         = "example.com/internal"
    load_balancer_source_ranges = ["10.0.0.0/8"]
    external_traffic_policy     = "Local"
    internal_traffic_policy     = "Cluster"
    session_affinity            = "ClientIP"
    ip_families                 = ["IPv4"]
    ip_family_policy            = "SingleStack"
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
  spread_across_nodes = false
  node_selector       = { "kubernetes.io/os" = "linux" }
  tolerations = [
    { key = "dedicated", operator = "Equal", value = "egress", effect = "NoSchedule" },
    { key = "dedicated", operator = "Exists", effect = "NoExecute", toleration_seconds = 60 },
  ]
  affinity = {
    node_affinity = {
      required_during_scheduling_ignored_during_execution = {
        node_selector_terms = [{ match_expressions = [{ key = "absent", operator = "DoesNotExist" }] }]
      }
      preferred_during_scheduling_ignored_during_execution = [
        { weight = 5, preference = { match_fields = [{ key = "metadata.name", operator = "NotIn", values = ["other"] }] } },
      ]
    }
    pod_affinity = {
      preferred_during_scheduling_ignored_during_execution = [
        { weight = 7, pod_affinity_term = { topology_key = "kubernetes.io/hostname", label_selector = { match_labels = { app = "a" } } } },
      ]
    }
    pod_anti_affinity = {
      required_during_scheduling_ignored_during_execution = [
        {
          topology_key       = "kubernetes.io/hostname"
          namespaces         = ["noisy"]
          namespace_selector = { match_labels = { noisy = "true" } }
          label_selector     = { match_expressions = [{ key = "app", operator = "In", values = ["noise"] }] }
        },
      ]
    }
  }
  topology_spread_constraints = [
    {
      max_skew             = 1
      topology_key         = "kubernetes.io/hostname"
      when_unsatisfiable   = "ScheduleAnyway"
      match_label_keys     = ["pod-template-hash"]
      node_affinity_policy = "Honor"
      node_taints_policy   = "Ignore"
    },
  ]
  priority_class_name = "system-cluster-critical"
  pod = {
    labels                           = { gateway-type = "egress" }
    annotations                      = { "prometheus.io/scrape" = "false" }
    env                              = { A = "a", EMPTY = "" }
    secret_volumes                   = [{ name = "certs", secret_name = "partner", mount_path = "/etc/partner", optional = true }]
    config_map_volumes               = [{ name = "roots", config_map_name = "roots", mount_path = "/etc/roots", optional = true }]
    image_pull_secrets               = ["registry"]
    termination_grace_period_seconds = 1
    dns_policy                       = "Default"
    readiness_probe                  = { initial_delay_seconds = 0, period_seconds = 5, timeout_seconds = 2, success_threshold = 1, failure_threshold = 4 }
    pre_stop                         = { sleep = { seconds = 1 } }
    sysctls                          = { "net.ipv4.ip_local_port_range" = "1024 65535" }
  }
  run_as_root           = true
  pod_disruption_budget = { max_unavailable = "50%" }
  mutual_tls            = true
  authorization         = "allow_listed"
  network_policy        = true
  access_log            = true
  wait_for_rollout      = true
  force_destroy         = false
  timeouts              = { create = "3m", update = "3m" }
`)
}
