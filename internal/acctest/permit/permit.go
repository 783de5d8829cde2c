// Package permit waits until the API server's authorizer knows a role.
//
// The authorizer reads roles and bindings from informers: what has been
// created allows nothing until its event arrives, some milliseconds later
// (kubernetes/plugin/pkg/auth/authorizer/rbac).
package permit

import (
	"context"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// patience is how long a role may take to be known.
const patience = time.Minute

// Role waits for a RoleBinding and its role.
func Role(ctx context.Context, kube kubernetes.Interface, namespace, name string) error {
	binding, err := kube.RbacV1().RoleBindings(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if binding.RoleRef.Kind == "ClusterRole" {
		role, err := kube.RbacV1().ClusterRoles().Get(ctx, binding.RoleRef.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return rules(ctx, kube, namespace, binding.Subjects, role.Rules)
	}
	role, err := kube.RbacV1().Roles(namespace).Get(ctx, binding.RoleRef.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	return rules(ctx, kube, namespace, binding.Subjects, role.Rules)
}

// ClusterRole waits for a ClusterRoleBinding and its role.
func ClusterRole(ctx context.Context, kube kubernetes.Interface, name string) error {
	binding, err := kube.RbacV1().ClusterRoleBindings().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	role, err := kube.RbacV1().ClusterRoles().Get(ctx, binding.RoleRef.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	return rules(ctx, kube, "", binding.Subjects, role.Rules)
}

// rules waits until the ServiceAccounts among the subjects may do one thing of
// each rule.
func rules(ctx context.Context, kube kubernetes.Interface, namespace string, subjects []rbacv1.Subject, rules []rbacv1.PolicyRule) error {
	for _, subject := range subjects {
		if subject.Kind != rbacv1.ServiceAccountKind {
			continue
		}
		user := fmt.Sprintf("system:serviceaccount:%s:%s", subject.Namespace, subject.Name)
		for _, rule := range rules {
			if len(rule.Resources) == 0 {
				continue
			}
			attributes := &authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: last(rule.Verbs), Group: last(rule.APIGroups), Resource: last(rule.Resources), Name: last(rule.ResourceNames),
			}
			if err := allowed(ctx, kube, user, attributes); err != nil {
				return fmt.Errorf("%s may not %s %s/%s in %q: %w", user, attributes.Verb, attributes.Group, attributes.Resource, namespace, err)
			}
		}
	}
	return nil
}

func allowed(ctx context.Context, kube kubernetes.Interface, user string, attributes *authorizationv1.ResourceAttributes) error {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: attributes}}
	return wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		answer, err := kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return false, err
		}
		return answer.Status.Allowed, nil
	})
}

func last(of []string) string {
	if len(of) == 0 {
		return ""
	}
	return of[len(of)-1]
}
