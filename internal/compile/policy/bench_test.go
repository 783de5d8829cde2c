package policy_test

import (
	"fmt"
	"testing"

	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

func BenchmarkObjects1000Policies(b *testing.B) {
	p := valid()
	for b.Loop() {
		for i := range 1000 {
			p.Name = fmt.Sprintf("policy-%d", i)
			if problems := policy.Validate(p, defaultMesh); len(problems) > 0 {
				b.Fatal(problems)
			}
			policy.Grants(p)
			objects, _ := policy.Preview(p, defaultMesh, nil)
			for _, object := range objects {
				manifest.DetailDigest.Render(object.Body)
			}
		}
	}
}

func BenchmarkObjects1000PoliciesWithPorts(b *testing.B) {
	p := valid()
	assigned := assign(p)
	for b.Loop() {
		for i := range 1000 {
			p.Name = fmt.Sprintf("policy-%d", i)
			if _, err := policy.Objects(p, defaultMesh, assigned); err != nil {
				b.Fatal(err)
			}
		}
	}
}
