package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// callerArgument makes a process of this executable carry out an order.
const callerArgument = "caller"

// order is for calls by some callers at once, over connections that they keep.
type order struct {
	URL string
	// Status of the response, and Peer, the address that the server sees, have to be
	// these in each call.
	Status int
	Peer   string
	// Callers is how many there are.
	Callers int
	// Span is how long they call, after a few calls that do not count.
	Span time.Duration
}

// calls are those of one order.
type calls struct {
	Latencies []time.Duration
	// Took is the time from the first call to the end of the last.
	Took time.Duration
}

// warmUp is how many calls of a caller do not count.
const warmUp = 20

// callAsOrdered reads an order and writes the calls.
func callAsOrdered(in io.Reader, out io.Writer) error {
	var o order
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return err
	}
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: o.Callers},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       10 * time.Second,
	}
	if _, err := o.repeat(client, func(made int) bool { return made >= warmUp }); err != nil {
		return err
	}
	began := time.Now()
	latencies, err := o.repeat(client, func(int) bool { return time.Since(began) >= o.Span })
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(calls{Latencies: latencies, Took: time.Since(began)})
}

// repeat lets each caller call until it has made enough calls.
func (o order) repeat(client *http.Client, enough func(made int) bool) ([]time.Duration, error) {
	latencies, errs := make([][]time.Duration, o.Callers), make([]error, o.Callers)
	var callers sync.WaitGroup
	for i := range o.Callers {
		callers.Go(func() {
			for errs[i] == nil && !enough(len(latencies[i])) {
				began := time.Now()
				errs[i] = o.call(client)
				latencies[i] = append(latencies[i], time.Since(began))
			}
		})
	}
	callers.Wait()
	return slices.Concat(latencies...), errors.Join(errs...)
}

func (o order) call(client *http.Client) error {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, o.URL, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var echo sandbox.Echo
	if response.StatusCode != o.Status || json.Unmarshal(body, &echo) != nil || echo.Peer != o.Peer {
		return fmt.Errorf("%s should come to %d, with %s as its peer, and came to %s %s", o.URL, o.Status, o.Peer, response.Status, body)
	}
	return nil
}
