// Package conflict finds what an egress traffic policy would meet in the
// cluster: objects that take its calls away, hide its own, or are hidden by
// them. Which of two objects Istio uses depends on kind, namespace, visibility
// and age; each file is about one kind and opens with the rule and its source.
//
// It is pure. It sees the live objects as the caller has listed them, so what
// it says is as old as the list: a look-up in a plan warns with it, and a
// write has to look again. Of thousands of objects Keys and Asks find the few
// that one policy can meet.
//
// An object of the policy itself is never a conflict. One of another policy is
// movable: that policy may give it up in the same apply, so that a plan warns,
// and a write fails. One of somebody else, and one that another policy is
// planned to have in the same run, is an error. Where the policy works all the
// same, or nobody can say, it is a warning.
//
// The rules, with the file that has them, and testdata/<rule>.yaml that has
// their cases:
//
//	virtualservice.go: who routes the calls
//	  same namespace, host, port, a workload in common      error (TCP and TLS: overlapping hosts)
//	  same wildcard host, either has requests               error, whatever labels and ports
//	  server name beside others in one match, exported too  error: Envoy refuses the listener
//	  exported from elsewhere, or a wider server name       warning: the unselected follow it
//	  a host that our wildcard stands for                   warning, of somebody else
//	  bound to the policy's Gateway, in its namespace       error
//	  direct policy: leads to another host                  warning
//
//	serviceentry.go: by which service a host is known
//	  same namespace and host, of somebody else             error, source side and gateway side
//	  same namespace and host, of another policy            error, unless only their ports differ;
//	                                                        a warning if both had the host before
//	  TCP without addresses in one of two policies          error
//	  a host that our wildcard stands for, for requests     warning
//
//	listener.go: TCP carries no host
//	  one address and port, two hosts                       error; from another namespace a warning
//	  one port, two hosts without addresses                 warning: DNS capture tells them apart
//
//	destinationrule.go: which settings a client picks
//	  own host, in the namespace that comes first           error, of somebody else
//	  no mutual_tls, and sidecars pick TLS for the Service  error
//	  TLS picked for a host without a rule of the policy    error for TLS, else a warning
//
//	gateway.go: ports of the gateway's pods
//	  a Gateway of any namespace opens the same port        error; a warning if its selector may not match
//	  a Service translates the port                         error; a warning if its selector may not match
//
//	authorizationpolicy.go: who decides about callers
//	  DENY that surely hits the policy's calls              error
//	  DENY, CUSTOM that may hit them                        warning
//	  ALLOW beside the namespace check                      warning: it admits callers
//	  ALLOW on a gateway without that check                 warning: it refuses callers
//
//	sidecar.go: what a workload knows
//	  the host is not imported                              warning
//	  the policy's Service is not imported with it          warning
//
//	credential.go: the Secret of `credential_name`
//	  there is none                                         warning
//	  a key is missing                                      movable
//
// Not seen: whether istiod runs with PILOT_SCOPE_GATEWAY_TO_NAMESPACE, with
// other default exportTo or with Gateways that a Service of the pods
// translates to one of the policy's ports; labels of the gateway's pods beyond
// those of the reference.
package conflict
