package cluster

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// A LIST goes on for those who wait for it, and ends with the last of them.
func TestFlightEndsWithItsLastCaller(t *testing.T) {
	client, err := New(&rest.Config{Host: "http://" + silent(t)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	key := listKey{gvk: secretKind}
	call := func() (leave context.CancelFunc, answer <-chan error) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := client.snapshot(ctx, key)
			done <- err
		}()
		return cancel, done
	}
	under := func() *flight {
		client.mu.Lock()
		defer client.mu.Unlock()
		return client.flights[key]
	}
	waiting := func(n int) {
		t.Helper()
		for {
			client.mu.Lock()
			f := client.flights[key]
			reached := f != nil && f.waiting == n
			client.mu.Unlock()
			if reached {
				return
			}
			runtime.Gosched()
		}
	}

	first, firstDone := call()
	waiting(1)
	second, secondDone := call()
	waiting(2)
	shared := under()
	first()
	if err := <-firstDone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	select {
	case <-shared.landed:
		t.Fatal("the first caller ended the flight for the second")
	default:
	}
	waiting(1)

	second()
	if err := <-secondDone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	select {
	case <-shared.landed:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody waits, and the flight goes on")
	}
	if under() != nil {
		t.Error("who comes next would wait for a flight that has ended")
	}
}
