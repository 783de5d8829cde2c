package cluster

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// inOrder takes the steps of each group in parallel, group after group. The
// first failure lets its own group finish and stops the rest. All errors of
// that group are returned. That ctx has ended shows in each step: no request
// is begun then.
func inOrder(ctx context.Context, groups [][]manifest.Step, take func(context.Context, manifest.Step) error) error {
	for _, group := range groups {
		var (
			mu     sync.Mutex
			failed []error
			all    errgroup.Group
		)
		for _, step := range group {
			all.Go(func() error {
				if err := take(ctx, step); err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
				return nil
			})
		}
		_ = all.Wait()
		if len(failed) > 0 {
			return errors.Join(failed...)
		}
	}
	return nil
}

// ledger collects which objects exist, by identity.
type ledger struct {
	mu   sync.Mutex
	here map[manifest.ID]manifest.Object
}

func newLedger(objects []manifest.Object) *ledger {
	l := &ledger{here: map[manifest.ID]manifest.Object{}}
	for _, object := range objects {
		l.here[object.ID()] = object
	}
	return l
}

func (l *ledger) add(object manifest.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.here[object.ID()] = object
}

func (l *ledger) remove(object manifest.Object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.here, object.ID())
}

// objects returns what exists, in the order of the lists given.
func (l *ledger) objects(orders ...[]manifest.Object) []manifest.Object {
	l.mu.Lock()
	defer l.mu.Unlock()
	var result []manifest.Object
	taken := map[manifest.ID]bool{}
	for _, order := range orders {
		for _, object := range order {
			id := object.ID()
			if held, ok := l.here[id]; ok && !taken[id] {
				taken[id] = true
				result = append(result, held)
			}
		}
	}
	return result
}
