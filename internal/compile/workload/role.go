package workload

import (
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// role lets istiod hand the certificates of the namespace to this gateway:
// before it does, it asks whether the gateway's service account may list
// Secrets (pilot/pkg/credentials/kube/secrets.go).
func (c compiler) role() manifest.Object {
	rule := rbacv1ac.PolicyRule().
		WithAPIGroups("").
		WithResources("secrets").
		WithVerbs("get", "watch", "list")
	return c.object(stageGuards, KindRole, c.Name, map[string]any{
		"rules": []*rbacv1ac.PolicyRuleApplyConfiguration{rule},
	})
}

func (c compiler) roleBinding() manifest.Object {
	subject := rbacv1ac.Subject().
		WithKind(KindServiceAccount.Kind).
		WithName(c.Name).
		WithNamespace(c.Namespace)
	role := rbacv1ac.RoleRef().
		WithAPIGroup(KindRole.Group).
		WithKind(KindRole.Kind).
		WithName(c.Name)
	return c.object(stageBindings, KindRoleBinding, c.Name, map[string]any{
		"roleRef":  role,
		"subjects": []*rbacv1ac.SubjectApplyConfiguration{subject},
	})
}
