import {
  to = istio_outbound_traffic_policy.mytest
  identity = {
    scope     = "namespace"
    namespace = "mytest"
  }
}
