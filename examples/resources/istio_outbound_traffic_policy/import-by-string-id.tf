import {
  to = istio_outbound_traffic_policy.mytest
  id = "namespace/mytest"
}
