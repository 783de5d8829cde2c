package cluster

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// TestExplain: what failed, on which object, who else is involved, what to do.
func TestExplain(t *testing.T) {
	service := manifest.ID{GVK: serviceKind, Namespace: "egress", Name: "gw"}
	gateway := manifest.ID{GVK: gatewayKind, Namespace: "egress", Name: "gw-10000"}
	op := func(verb string, id manifest.ID, err error) error {
		return &OpError{Verb: verb, ID: id, Host: "https://api.example:6443", Endpoint: "`config_path`", Err: err}
	}
	resource := schema.GroupResource{Group: "networking.istio.io", Resource: "gateways"}
	mine := Owner{Resource: "istio_egress_gateway", ImportID: "egress/gw", Nonce: "a"}
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"forbidden": {op("apply", gateway, apierrors.NewForbidden(resource, "gw-10000", errors.New("User \"ci\" cannot patch"))),
			[]string{"Gateway/egress/gw-10000", "patch (and create)", "gateways.networking.istio.io", `"egress"`, "examples/rbac"}},
		"forbidden list": {op("list", manifest.ID{GVK: gatewayKind}, apierrors.NewForbidden(resource, "", errors.New("x"))),
			[]string{"list gateways in all namespaces", "ClusterRole"}},
		"quota": {op("apply", service, apierrors.NewForbidden(resource, "gw", errors.New("exceeded quota: q"))), []string{"ResourceQuota"}},
		"denied": {op("apply", gateway, answered(403, metav1.StatusReasonForbidden, `admission webhook "v" denied the request: no`)),
			[]string{"admission webhook refused", "no"}},
		"webhook down": {op("apply", gateway, apierrors.NewInternalError(errors.New(`failed calling webhook "validation.istio.io": x`))),
			[]string{"did not answer", "istiod"}},
		"unauthorized": {op("get", service, apierrors.NewUnauthorized("x")), []string{"credentials", "`config_path`", "https://api.example:6443"}},
		"invalid":      {op("apply", gateway, answered(422, metav1.StatusReasonInvalid, "spec.servers: Required value")), []string{"spec.servers", "Istio 1.26"}},
		"refused":      {op("get", service, transported(syscall.ECONNREFUSED)), []string{"Nothing listens", "https://api.example:6443", "`config_path`"}},
		"authority":    {op("get", service, transported(x509.UnknownAuthorityError{})), []string{"cluster_ca_certificate"}},
		"wrong name":   {op("get", service, transported(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"other"}}, Host: "api"})), []string{"tls_server_name"}},
		"no DNS":       {op("get", service, transported(&net.DNSError{Name: "api.example", Err: "no such host"})), []string{"does not resolve"}},
		"stalled":      {op("get", service, transported(errStalled)), []string{"did not answer in time"}},
		"time was up":  {op("list", service, notSent{context.DeadlineExceeded}), []string{"list Service/egress/gw: time is up", "`timeouts`"}},
		"interrupted": {&OpError{Verb: "apply", ID: service, Err: transported(syscall.ECONNREFUSED), Cancelled: context.Canceled},
			[]string{"Cannot apply Service/egress/gw: interrupted", "Nothing listens"}},
		"out of time while retrying": {&OpError{Verb: "apply", ID: service, Err: transported(syscall.ECONNREFUSED), Cancelled: context.DeadlineExceeded},
			[]string{"Cannot apply Service/egress/gw: time is up"}},
		"interrupted between writes": {op("write", service, notSent{context.Canceled}), []string{"Cannot write Service/egress/gw: interrupted", "apply again"}},
		"interrupted in a read":      {op("get", service, transported(context.Canceled)), []string{"Cannot get Service/egress/gw: interrupted", "apply again"}},
		"a fight":                    {op("write", service, notSent{errRounds}), []string{"Service/egress/gw", "somebody had changed"}},
		"exec":                       {op("get", service, transported(errors.New("getting credentials: exec: aws failed"))), []string{"`exec`", "aws failed"}},
		"many": {errors.Join(op("apply", service, apierrors.NewBadRequest("first")), op("apply", gateway, apierrors.NewBadRequest("second"))),
			[]string{"Service/egress/gw", "first", "Gateway/egress/gw-10000", "second"}},
		"of another resource": {&ForeignError{ID: service, Wanted: mine, Owner: &Owner{Resource: "istio_egress_traffic_policy", ImportID: "egress/pay"}},
			[]string{"Service/egress/gw exists already", "terraform import istio_egress_traffic_policy.pay egress/pay"}},
		"of a killed create": {&ForeignError{ID: service, Wanted: mine, Owner: &Owner{Resource: mine.Resource, ImportID: mine.ImportID, Nonce: "b"}, Unchanged: true},
			[]string{"terraform import istio_egress_gateway.gw egress/gw", "owner_id", "Nothing was written"}},
		"by hand":   {&ForeignError{ID: service, Managers: []string{"helm"}}, []string{"helm", "another `name`"}},
		"conflict":  {&ConflictError{ID: service, Causes: []string{`"kubectl-edit": spec.type`}}, []string{"kubectl-edit", "spec.type", "force_conflicts"}},
		"finalizer": {&RemainsError{Remains: []string{"Service/egress/gw, finalizers a/b"}, Err: errors.New("time")}, []string{"a/b", "Finalizers are never removed"}},
	} {
		t.Run(name, func(t *testing.T) {
			summary, detail := Explain(c.err)
			text := summary + "\n" + detail
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in:\n%s", want, text)
				}
			}
			if strings.Contains(text, "secret") {
				t.Errorf("a credential is told:\n%s", text)
			}
		})
	}
}
