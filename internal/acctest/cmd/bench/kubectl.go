package main

import (
	"context"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
)

// kubectl measures `kubectl apply --server-side` of the same objects in one file. Its
// operation without changes is the apply again, which is cheaper than `kubectl diff`:
// a diff sends a GET and a dry run for each object.
func (l *lab) kubectl(ctx context.Context, made work) (life, error) {
	path, err := testbed.Kubectl(ctx)
	if err != nil {
		return life{}, err
	}
	w, err := l.workspace("kubectl", "", "KUBECONFIG="+l.controlPlane.Kubeconfig, "HOME="+l.dir)
	if err != nil {
		return life{}, err
	}
	w.Executable = path
	for name, objects := range map[string][]object{"objects.json": made.objects, "edited.json": made.afterChange()} {
		text, err := asList(objects)
		if err != nil {
			return life{}, err
		}
		if err := w.WriteFile(name, text); err != nil {
			return life{}, err
		}
	}
	apply := func(file string) []string {
		return []string{"apply", "--server-side", "--field-manager=bench", "-f", file}
	}
	return l.live(ctx, w, "", administrator, []command{
		{applying, apply("objects.json"), []int{0}, nil},
		{noop, apply("objects.json"), []int{0}, nil},
		{changing, apply("edited.json"), []int{0}, nil},
		{destroying, []string{"delete", "--wait=false", "-f", "edited.json"}, []int{0}, nil},
	})
}
