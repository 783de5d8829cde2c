// Package policy compiles an istio_egress_traffic_policy into Istio objects.
package policy
