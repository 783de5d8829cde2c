package cluster

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// fault stands between the client and the real server for the first n
// requests of a method.
func fault(method string, n int64, answer func(next http.RoundTripper, r *http.Request) (*http.Response, error)) func(http.RoundTripper) http.RoundTripper {
	var count atomic.Int64
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == method && count.Add(1) <= n {
				return answer(next, r)
			}
			return next.RoundTrip(r)
		})
	}
}

func say(code int, contentType, body string) func(http.RoundTripper, *http.Request) (*http.Response, error) {
	return func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: code, Header: http.Header{"Content-Type": {contentType}},
			Body: io.NopCloser(strings.NewReader(body)), Request: r,
		}, nil
	}
}

// lost lets the request through and loses the answer.
func lost(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	response, err := next.RoundTrip(r)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	return nil, syscall.ECONNRESET
}

func refused(http.RoundTripper, *http.Request) (*http.Response, error) {
	return nil, syscall.ECONNREFUSED
}

// truncated cuts the answer in half.
func truncated(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	response, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body[:len(body)/2]))
	return response, nil
}

const internalError = `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"x","reason":"InternalError","code":500}`

// TestTransientFaultsAreRiddenOut meets each fault on each kind of request.
func TestTransientFaultsAreRiddenOut(t *testing.T) {
	for name, answer := range map[string]func(http.RoundTripper, *http.Request) (*http.Response, error){
		"503":           say(503, "text/plain", "starting"),
		"429":           say(429, "text/plain", "slow down"),
		"500":           say(500, "application/json", internalError),
		"refused":       refused,
		"answer lost":   lost,
		"401 of plugin": nil,
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			times := int64(2)
			if answer == nil {
				answer, times = say(401, "text/plain", "Unauthorized"), 1
			}
			release := Release{Owner: l.owner(), Objects: l.policyObjects()[:1]}
			written, err := l.newClient(Options{}, fault(http.MethodPatch, times, answer)).Create(l.ctx(), release)
			if err != nil || len(written) != 1 {
				t.Fatalf("create: %v", err)
			}
			l.clean(release)
			seen, err := l.newClient(Options{}, fault(http.MethodGet, times, answer)).Observe(l.ctx(), release)
			if err != nil || len(seen.Drift) != 0 {
				t.Fatalf("observe: %v %v", seen.Drift, err)
			}
			if _, err := l.newClient(Options{}, fault(http.MethodPatch, times, answer)).Update(l.ctx(), release, release, l.shown(seen), manifest.DetailDigest.Render); err != nil {
				t.Fatalf("update: %v", err)
			}
			if left, err := l.newClient(Options{}, fault(http.MethodDelete, times, answer)).Delete(l.ctx(), release); err != nil || len(left) != 0 {
				t.Fatalf("delete: %v", err)
			}
			if l.live(release.Objects[0].ID()) != nil {
				t.Fatal("left behind")
			}
		})
	}
}

// TestNonsenseIsNeverAbsence: a login page, or half an answer, says nothing
// about the object.
func TestNonsenseIsNeverAbsence(t *testing.T) {
	for name, answer := range map[string]func(http.RoundTripper, *http.Request) (*http.Response, error){
		"HTML":      say(200, "text/html", "<html>log in</html>"),
		"HTML 404":  say(404, "text/html", "<html>not here</html>"),
		"truncated": truncated,
		"empty":     say(200, "application/json", ""),
		"another":   say(200, "application/json", `{"kind":"Status","apiVersion":"v1"}`),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			release := l.create(l.owner(), l.policyObjects()[:1]...)
			object := release.Objects[0]
			broken := func() *Client { return l.newClient(Options{}, fault(http.MethodGet, 1000, answer)) }
			if seen, err := broken().Observe(l.ctx(), release); err == nil {
				t.Errorf("observe: %v", seen.Drift)
			}
			if live, err := broken().Get(l.ctx(), object.ID()); err == nil {
				t.Errorf("get: %v", live)
			}
			left, err := broken().Delete(l.ctx(), release)
			if err == nil || len(left) != 1 {
				t.Errorf("delete: %v %v", keys(left), err)
			}
			if _, detail := Explain(err); strings.Contains(detail, "log in") || detail == "" {
				t.Errorf("%s", detail)
			}
			if l.live(object.ID()) == nil {
				t.Error("deleted")
			}
			// A write that is answered with nonsense may have been done: state has to know.
			writer := l.newClient(Options{}, fault(http.MethodPatch, 1000, answer))
			other := l.object(1, destinationRule)
			written, err := writer.Create(l.ctx(), Release{Owner: release.Owner, Objects: []manifest.Object{other}})
			if err == nil || name == "truncated" && len(written) != 1 {
				t.Errorf("create: %v %v", keys(written), err)
			}
		})
	}
}

// TestErrorInTheMiddle: what was written is answered, what was not is not.
func TestErrorInTheMiddle(t *testing.T) {
	l := newLab(t)
	objects := l.policyObjects()
	broken := objects[3]
	broken.Body = with(broken.Body, []any{}, "spec", "hosts") // istiod's validation denies it
	release := Release{Owner: l.owner(), Objects: []manifest.Object{objects[0], objects[1], objects[2], broken}}
	written, err := l.client.Create(l.ctx(), release)
	if err == nil || len(written) != 3 {
		t.Fatalf("%v %v", keys(written), err)
	}
	if summary, detail := Explain(err); !strings.Contains(summary+detail, broken.ID().String()) || !strings.Contains(detail, "denied the request") {
		t.Errorf("%s: %s", summary, detail)
	}
	if left, err := l.client.Delete(l.ctx(), Release{Owner: release.Owner, Objects: written}); err != nil || len(left) != 0 {
		t.Fatal(err)
	}
}

// TestCancelIsLookedAtBetweenWrites: a write under way is finished, the next
// does not begin.
func TestCancelIsLookedAtBetweenWrites(t *testing.T) {
	l := newLab(t)
	ctx, cancel := contextWithCancel(t)
	client := l.newClient(Options{}, fault(http.MethodPatch, 1, func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		cancel()
		return next.RoundTrip(r)
	}))
	release := Release{Owner: l.owner(), Objects: l.policyObjects()}
	written, err := client.Create(ctx, release)
	if err == nil || len(written) != 1 {
		t.Fatalf("%v %v", keys(written), err)
	}
	if l.live(release.Objects[0].ID()) == nil {
		t.Error("the first write was cut off")
	}
	for _, object := range release.Objects[1:] {
		if l.live(object.ID()) != nil {
			t.Errorf("%s was written after the cancel", object.Key)
		}
	}
}

// TestUnreachable: the first read of a walk tries for a while,
// the others do not.
func TestUnreachable(t *testing.T) {
	l := newLab(t)
	dead := l.newClient(Options{Endpoint: "`host`"}, fault(http.MethodGet, 1<<40, refused))
	dead.unreachable.Store(true) // as after the first
	_, err := dead.Observe(l.ctx(), Release{Owner: l.owner(), Objects: l.policyObjects()[:1]})
	if !IsUnreachable(err) {
		t.Fatal(err)
	}
	if _, detail := Explain(err); !strings.Contains(detail, l.cp.Host) || !strings.Contains(detail, "`host`") {
		t.Error(detail)
	}
	if errors.As(err, new(*ForeignError)) {
		t.Error(err)
	}

	// A look-up with little time says what it met, not that its time was up.
	dead = l.newClient(Options{}, fault(http.MethodGet, 1<<40, refused))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = dead.List(ctx, serviceKind, "", "")
	if _, detail := Explain(err); !IsUnreachable(err) || !strings.Contains(detail, "Nothing listens at "+l.cp.Host) {
		t.Errorf("%v: %s", err, detail)
	}
}

// TestRestartOfTheServer: an apply that meets it goes on when it is back.
func TestRestartOfTheServer(t *testing.T) {
	l := newLab(t)
	release := Release{Owner: l.owner(), Objects: l.policyObjects()}
	if l.cp.External {
		t.Skip("the API server is not ours to restart")
	}
	if err := l.cp.KillAPIServer(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := l.client.Create(l.ctx(), release)
		done <- err
	}()
	if err := l.cp.StartAPIServer(l.ctx()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	l.clean(release)
}
