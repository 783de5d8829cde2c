# The id is mesh, mesh/<revision>, namespace/<namespace>, or workload/<namespace>/<name of the Sidecar>.
terraform import istio_outbound_traffic_policy.mytest namespace/mytest
