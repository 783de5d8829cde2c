package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
)

// connections is how many requests the raw loop has under way, as many as
// Terraform walks resources at once.
const connections = 10

// floors is what the API server costs without a provider.
type floors struct {
	apply, list, destroy time.Duration
	objects              int
}

// raw applies the objects, lists their kinds and deletes them again.
func (l *lab) raw(ctx context.Context, objects []object) (floors, error) {
	client, err := dynamic.NewForConfig(l.controlPlane.RESTConfig)
	if err != nil {
		return floors{}, err
	}
	f := floors{objects: len(objects)}
	f.apply, err = inParallel(ctx, objects, func(ctx context.Context, o object) error {
		_, err := client.Resource(o.resource).Namespace(o.body.GetNamespace()).Apply(ctx, o.body.GetName(), o.body,
			metav1.ApplyOptions{FieldManager: "bench"})
		return err
	})
	if err != nil {
		return f, err
	}
	began := time.Now()
	for _, resource := range policyKinds {
		if _, err := client.Resource(resource).List(ctx, metav1.ListOptions{LabelSelector: ours}); err != nil {
			return f, err
		}
	}
	f.list = time.Since(began)
	f.destroy, err = inParallel(ctx, objects, func(ctx context.Context, o object) error {
		return client.Resource(o.resource).Namespace(o.body.GetNamespace()).Delete(ctx, o.body.GetName(), metav1.DeleteOptions{})
	})
	l.say("raw: apply %.2f s, list %.2f s, delete %.2f s", f.apply.Seconds(), f.list.Seconds(), f.destroy.Seconds())
	return f, err
}

func inParallel(ctx context.Context, objects []object, do func(context.Context, object) error) (time.Duration, error) {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connections)
	for _, o := range objects {
		group.Go(func() error { return do(ctx, o) })
	}
	err := group.Wait()
	return time.Since(began), err
}

// core measures terraform_data of the same count with a state of the same size.
func (l *lab) core(ctx context.Context, count int, stateBytes int64) (operations, error) {
	// How many bytes of state one instance has beside its input: terraform_data
	// stores the input twice, as `input` and as `output`.
	probe, err := l.workspace("probe", terraformData(count, 0))
	if err != nil {
		return operations{}, err
	}
	empty, err := l.operate(ctx, probe, nil)
	if err != nil {
		return operations{}, err
	}
	w, err := l.workspace("terraform_data", terraformData(count, max(0, int(stateBytes-empty.stateBytes)/count/2)))
	if err != nil {
		return operations{}, err
	}
	return l.operate(ctx, w, nil)
}

func terraformData(count, bytes int) string {
	return fmt.Sprintf(`
resource "terraform_data" "t" {
  count = %d
  input = %q
}
`, count, strings.Repeat("x", bytes))
}
