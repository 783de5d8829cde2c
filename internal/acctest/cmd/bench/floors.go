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
const connections = walkers

// raw is what the API server costs without a provider: it applies the objects, lists
// their kinds, applies what changes, and deletes them again.
func (l *lab) raw(ctx context.Context, w work) (life, error) {
	o := newLife()
	client, err := dynamic.NewForConfig(l.controlPlane.RESTConfig)
	if err != nil {
		return o, err
	}
	apply, remove := applyWith(client), removeWith(client)
	list := func() error {
		for _, kind := range policyKinds {
			if _, err := client.Resource(kind.GroupVersionResource).List(ctx, metav1.ListOptions{LabelSelector: ours}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, step := range []struct {
		operation operation
		do        func() error
	}{
		{applying, func() error { return inParallel(ctx, w.objects, apply) }},
		{noop, list},
		{refreshing, list},
		{changing, func() error { return inParallel(ctx, w.changed, apply) }},
		{destroying, func() error { return inParallel(ctx, w.objects, remove) }},
	} {
		began, cpu := time.Now(), ownCPU()
		if err := step.do(); err != nil {
			return o, fmt.Errorf("%s by the raw loop: %w", step.operation, err)
		}
		o.costs[step.operation] = cost{wall: time.Since(began), cli: usage{cpu: ownCPU() - cpu}}
		l.say("%s: %s %.2f s", rawLoop, step.operation, o.costs[step.operation].wall.Seconds())
	}
	return o, nil
}

func applyWith(client dynamic.Interface) func(context.Context, object) error {
	return func(ctx context.Context, o object) error {
		_, err := client.Resource(o.resource).Namespace(o.body.GetNamespace()).Apply(ctx, o.body.GetName(), o.body,
			metav1.ApplyOptions{FieldManager: "bench", Force: true})
		return err
	}
}

func removeWith(client dynamic.Interface) func(context.Context, object) error {
	return func(ctx context.Context, o object) error {
		return client.Resource(o.resource).Namespace(o.body.GetNamespace()).Delete(ctx, o.body.GetName(), metav1.DeleteOptions{})
	}
}

func inParallel(ctx context.Context, objects []object, do func(context.Context, object) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(connections)
	for _, o := range objects {
		group.Go(func() error { return do(ctx, o) })
	}
	return group.Wait()
}

// probes is how many instances say what an instance costs in state.
const probes = 10

// core measures terraform_data of the same count with a state of the same size.
func (l *lab) core(ctx context.Context, w work) (life, error) {
	// How many bytes of state one instance has beside its input: terraform_data
	// stores the input twice, as `input` and as `output`.
	probe, err := l.workspace("probe", terraformData(probes, 0))
	if err != nil {
		return life{}, err
	}
	empty, err := l.live(ctx, probe, "", "", commands(true, nil, nil)[1:2])
	if err != nil {
		return life{}, err
	}
	perInstance := w.stateBytes/int64(w.count) - empty.stateBytes/probes
	workspace, err := l.workspace("terraform_data", terraformData(w.count, max(0, int(perInstance)/2)))
	if err != nil {
		return life{}, err
	}
	return l.live(ctx, workspace, "", "", commands(true, nil, nil))
}

func terraformData(count, bytes int) string {
	return edited + fmt.Sprintf(`
resource "terraform_data" "t" {
  count = %d
  input = var.edited && count.index == 0 ? "edited" : %q
}
`, count, strings.Repeat("x", bytes))
}
