package policy_test

import (
	"pgregory.net/rapid"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy/policytest"
)

func randomPolicy(t *rapid.T) policy.Policy { return policytest.Policy(t) }

func shuffled(t *rapid.T, p policy.Policy) policy.Policy { return policytest.Shuffled(t, p) }
