package endtoend_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshegress/terraform-provider-istio/internal/acctest"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// Two workspaces that assign ports on one gateway at the same time never collide,
// and never know of each other.
func TestTwoWorkspacesAtOnce(t *testing.T) {
	f := acctest.New(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	const each = 25
	names := []string{"left", "right"}
	var workspaces []*acctest.Workspace
	for _, name := range names {
		workspaces = append(workspaces, f.Workspace(f.CLI, f.Config(policies(name, egress, shop, each))))
	}
	both := func(exitCode int, args []string) {
		t.Helper()
		finish := []func(){}
		for _, w := range workspaces {
			process, err := w.Start(t.Context(), args...)
			if err != nil {
				t.Fatal(err)
			}
			finish = append(finish, func() { w.Finish(process, exitCode, args) })
		}
		for _, wait := range finish {
			wait()
		}
	}
	both(0, acctest.Apply)
	owner := map[string]string{}
	for _, w := range workspaces {
		for address, resource := range w.Resources() {
			for entry, port := range resource.Attributes["gateway_ports"].(map[string]any) {
				number := fmt.Sprint(port)
				if other, taken := owner[number]; taken {
					t.Errorf("port %s belongs to %s and to %s %s", number, other, address, entry)
				}
				owner[number] = address + " " + entry
			}
		}
	}
	if len(owner) != 2*each {
		t.Errorf("%d ports for %d policies: %v", len(owner), 2*each, owner)
	}
	both(acctest.NoChanges, acctest.Plan)

	workspaces[0].Expect(0, acctest.Destroy)
	for _, id := range f.ManagedIDs() {
		if strings.Contains(id, "/left-") {
			t.Errorf("%s was left by the destroy of its workspace", id)
		}
	}
	workspaces[1].Expect(acctest.NoChanges, acctest.Plan)
	workspaces[1].Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// SIGINT in the middle of an apply ends it with a state that knows everything
// that was written; the next apply finishes the work.
func TestInterrupt(t *testing.T) {
	f := acctest.New(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	const count = 15
	w := f.Workspace(f.CLI, f.Config(policies("many", egress, shop, count)))
	args := slices.Concat(acctest.Apply, []string{"-parallelism=1"})
	process, err := w.Start(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	waitForServiceEntry(t, f, shop)
	if err := process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	w.Finish(process, acctest.Failed, args)
	if done := len(w.Resources()); done == 0 || done == count {
		t.Fatalf("the state has %d of %d policies: the signal came too late to test anything", done, count)
	}
	w.Expect(0, acctest.Apply)
	w.Expect(acctest.NoChanges, acctest.Plan)
	w.Expect(0, acctest.Destroy)
	if err := f.CheckNothingLeft(nil); err != nil {
		t.Error(err)
	}
}

// waitForServiceEntry waits until an apply that runs beside has finished a policy:
// a source-side ServiceEntry is the last object that it writes.
func waitForServiceEntry(t *testing.T, f *acctest.Fixture, namespace string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watch, err := f.Istio.NetworkingV1().ServiceEntries(namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	if _, ok := <-watch.ResultChan(); !ok {
		t.Fatal("no ServiceEntry was written within a minute")
	}
}

// What an operation costs at the API server does not depend on the number of
// policies where it reads, and is one request per object where it writes,
// however many of them run at once.
func TestRequestsAndParallelism(t *testing.T) {
	f := acctest.NewAlone(t)
	egress, shop := f.GatewayNamespace("egress"), f.SourceNamespace("shop")
	const count = 20
	for _, parallelism := range []string{"-parallelism=1", "-parallelism=50"} {
		w := f.Workspace(f.CLI, f.Config(policies("n", egress, shop, count)))
		requests := func(exitCode int, args []string) testbed.Requests {
			t.Helper()
			mark := f.Mark()
			w.Expect(exitCode, slices.Concat(args, []string{parallelism}))
			return f.AccountRequestsSince(mark)
		}
		applied := requests(0, acctest.Apply)
		objects := f.ManagedIDs()
		checkWrites(t, parallelism+" apply", applied, objects, "patch")
		// One LIST of a kind for the plan and one for the apply, whatever the
		// number of policies that look for conflicts.
		checkLists(t, parallelism+" apply", applied, 2, append(policyKinds, "networking.istio.io/sidecars"))

		plan := requests(acctest.NoChanges, acctest.Plan)
		if writes := plan.Writes(); len(writes) > 0 {
			t.Errorf("%s: a plan writes:\n%s", parallelism, writes)
		}
		// One LIST per kind of which a policy has objects, and nothing else: what
		// is unchanged meets nothing new.
		checkLists(t, parallelism+" plan", plan, 1, policyKinds)
		if len(plan) != len(policyKinds) {
			t.Errorf("%s: a plan of %d unchanged policies takes %d requests:\n%s", parallelism, count, len(plan), plan)
		}
		t.Logf("%s: plan of %d unchanged policies:\n%s", parallelism, count, plan)

		destroyed := requests(0, acctest.Destroy)
		checkWrites(t, parallelism+" destroy", destroyed, objects, "delete")
		if err := f.CheckNothingLeft(nil); err != nil {
			t.Error(err)
		}
	}
}

// policyKinds are the kinds of which a policy has objects.
var policyKinds = []string{
	"networking.istio.io/destinationrules", "networking.istio.io/gateways", "networking.istio.io/serviceentries",
	"networking.istio.io/virtualservices", "security.istio.io/authorizationpolicies", "services",
}

// checkLists fails unless exactly these kinds were listed, and each so often.
func checkLists(t *testing.T, what string, requests testbed.Requests, times int, resources []string) {
	t.Helper()
	want := map[string]int{}
	for _, resource := range resources {
		want["list "+resource] = times
	}
	lists := requests.Where(func(r testbed.Request) bool { return r.Verb == "list" })
	if diff := cmp.Diff(want, lists.Count()); diff != "" {
		t.Errorf("%s: LISTs (-want +got):\n%s", what, diff)
	}
}

// checkWrites fails when an object was written more than once, also the one that
// the policies of a namespace share. Policies that go at once find out at once
// that they were the last: that one may be deleted several times.
func checkWrites(t *testing.T, what string, requests testbed.Requests, objects []string, verb string) {
	t.Helper()
	perObject := map[string]int{}
	shared := 0
	for _, r := range requests.Writes() {
		switch {
		case r.Resource == "security.istio.io/authorizationpolicies":
			shared++
		case r.Verb == verb:
			perObject[r.Resource+" "+r.Namespace+"/"+r.Name]++
		default:
			t.Errorf("%s: unexpected %s of %s %s/%s", what, r.Verb, r.Resource, r.Namespace, r.Name)
		}
	}
	if verb == "patch" && shared != 1 {
		t.Errorf("%s: %d writes of the shared object, want 1", what, shared)
	}
	for object, n := range perObject {
		if n > 1 {
			t.Errorf("%s: %d writes of %s", what, n, object)
		}
	}
	if want := len(objects) - 1; len(perObject) != want {
		t.Errorf("%s: %d objects were written, want %d", what, len(perObject), want)
	}
	t.Logf("%s of %d objects:\n%s", what, len(objects), requests)
}
