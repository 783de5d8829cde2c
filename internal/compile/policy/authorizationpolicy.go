package policy

import (
	"fmt"
	"slices"
	"strings"

	security "istio.io/api/security/v1"
	typev1beta1 "istio.io/api/type/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// One AuthorizationPolicy for each gateway and source namespace, shared by all
// policies: it lets a caller of the namespace use grants of the namespace, so
// that a stolen server name is of no use elsewhere. The gateway's baseline
// admits nothing else.
//
// It is one for the namespace, not one for each policy, because Istio copies
// every AuthorizationPolicy that selects the gateway into every filter chain.
// It names principals as prefixes: `namespaces` would become regular
// expressions.

// authorizationVersion is the version of the content below.
const authorizationVersion = 1

// sniKey is the condition on the server name of the handshake. It holds in
// HTTP and in TCP filter chains.
const sniKey = "connection.sni"

// authorizations returns the shared AuthorizationPolicies; none where the
// gateway has no baseline, since the first ALLOW policy on its pods would
// refuse all of its other traffic.
func (l *layout) authorizations() []manifest.Object {
	if !l.ref.ChecksNamespace() {
		return nil
	}
	var objects []manifest.Object
	for _, namespace := range l.namespaces() {
		objects = append(objects, l.authorization(namespace))
	}
	return objects
}

func (l *layout) authorization(namespace string) manifest.Object {
	principals := l.principals(namespace)
	spec := &security.AuthorizationPolicy{
		Selector: &typev1beta1.WorkloadSelector{MatchLabels: l.ref.PodSelector()},
		Rules: []*security.Rule{{
			From: []*security.Rule_From{{Source: &security.Source{Principals: principals}}},
			When: []*security.Condition{{Key: sniKey, Values: []string{"*." + l.sniSuffix(namespace)}}},
		}},
	}
	// The object belongs to no policy, so its revision is the gateway's.
	revision := l.mesh.Revision
	if l.ref.Revision != nil {
		revision = *l.ref.Revision
	}
	result := object(stageAuthorization, istioBody(securityV1, "AuthorizationPolicy", meta{
		name: FromName(l.ref.Name, namespace), namespace: l.ref.Namespace,
		labels:      compile.BaseLabels(revision),
		annotations: map[string]string{compile.AnnotationVersion: fmt.Sprint(authorizationVersion)},
	}, spec, func(fields map[string]any) { fields["action"] = "ALLOW" }))
	result.Shared = &manifest.Shared{
		Version:   authorizationVersion,
		Users:     corev1.SchemeGroupVersion.WithKind("Service"),
		Namespace: l.ref.Namespace,
		Selector:  labels.SelectorFromSet(labels.Set{compile.LabelGateway: l.ref.Name}).String(),
		InUse: func(service *unstructured.Unstructured) bool {
			return slices.Contains(exportedTo(service), namespace) && checksNamespace(service)
		},
		Compatible: func(live *unstructured.Unstructured) error { return samePrincipals(live, namespace, principals) },
	}
	return result
}

// checksNamespace reports whether the policy of a Service has its gateway check
// namespaces. One that no longer does must not keep the AuthorizationPolicy: it would
// be the only one on the gateway's pods, and refuse everything else there.
func checksNamespace(service *unstructured.Unstructured) bool {
	p, err := ParseSpec(service.GetAnnotations()[compile.AnnotationSpec])
	if err != nil || p.ByEgressGateway == nil {
		return true // of another version of this provider, or edited: not ours to judge
	}
	return p.ByEgressGateway.ChecksNamespace()
}

// principals returns the prefixes of a namespace's identities, for each trust
// domain of the mesh.
func (l *layout) principals(namespace string) []string {
	var all []string
	for _, domain := range l.mesh.TrustDomains() {
		all = append(all, domain+allAccounts(namespace))
	}
	return distinct(all)
}

// allAccounts is what follows the trust domain in the prefix of a namespace's identities.
func allAccounts(namespace string) string { return "/ns/" + namespace + "/*" }

// samePrincipals compares the trust domains of a live object with ours. One in
// common is enough: aliases may be added and a trust domain be renamed one
// configuration after the other. Principals that no configuration would write are an
// edit, which is taken back like any other.
func samePrincipals(live *unstructured.Unstructured, namespace string, ours []string) error {
	var theirs []string
	rules, _, _ := unstructured.NestedSlice(live.Object, "spec", "rules")
	for _, rule := range rules {
		fields, ok := rule.(map[string]any)
		if !ok {
			continue
		}
		for _, from := range children(fields, "from") {
			names, _, _ := unstructured.NestedStringSlice(from, "source", "principals")
			for _, name := range names {
				if domain, ok := strings.CutSuffix(name, allAccounts(namespace)); ok && domain != "" {
					theirs = append(theirs, name)
				}
			}
		}
	}
	if len(theirs) == 0 || slices.ContainsFunc(theirs, func(name string) bool { return slices.Contains(ours, name) }) {
		return nil
	}
	return fmt.Errorf("AuthorizationPolicy %s/%s admits %s, and this configuration %s: "+
		"the attributes trust_domain and trust_domain_aliases of the provider must name the mesh's trust domain in all configurations that share the gateway",
		live.GetNamespace(), live.GetName(), strings.Join(theirs, ", "), strings.Join(ours, ", "))
}
