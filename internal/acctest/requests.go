package acctest

import (
	"strings"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// Requests runs do and returns what this test's provider asked the API server
// meanwhile. The count is exact (see testbed.ControlPlane.Requests); requests of
// other tests and of controllers are not in it.
func (f *Fixture) Requests(do func()) testbed.Requests {
	f.t.Helper()
	mark := f.Mark()
	do()
	return f.RequestsSince(mark)
}

// Mark remembers this moment, for RequestsSince.
func (f *Fixture) Mark() testbed.Mark {
	f.t.Helper()
	mark, err := f.env.controlPlane.Mark()
	if err != nil {
		f.t.Fatal(err)
	}
	return mark
}

// RequestsSince returns what this test's provider has asked since a mark. Use
// it from the PreConfig of the next step, or from a check.
func (f *Fixture) RequestsSince(mark testbed.Mark) testbed.Requests {
	f.t.Helper()
	all, err := f.env.controlPlane.Requests(mark)
	if err != nil {
		f.t.Fatal(err)
	}
	return all.Where(func(r testbed.Request) bool { return strings.Contains(r.UserAgent, f.version()) })
}

// AccountRequestsSince returns what anybody with the provider's ServiceAccount has
// asked since a mark: also a provider that runs as a process of its own. Only for
// a test made with NewAlone.
func (f *Fixture) AccountRequestsSince(mark testbed.Mark) testbed.Requests {
	f.t.Helper()
	all, err := f.env.controlPlane.Requests(mark)
	if err != nil {
		f.t.Fatal(err)
	}
	return all.By("system:serviceaccount:" + accountNamespace + ":" + accountName)
}
