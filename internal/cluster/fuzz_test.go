package cluster

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// Whatever a server answers, nothing panics, no other object is taken for the
// one that was asked for, absence is believed only where the server says so in
// its own words, and an error is explained in a few lines.
func FuzzAnswers(f *testing.F) {
	const (
		head   = `{"apiVersion":"networking.istio.io/v1","kind":"Gateway","metadata":{"name":"a","namespace":"ns","uid":"1"`
		status = `{"kind":"Status","apiVersion":"v1","status":"Failure","code":404,"reason":"NotFound","details":`
	)
	for _, seed := range []struct {
		code int
		body string
	}{
		{200, head + `}}`}, {201, head + `},"spec":{"servers":[{"port":{"number":1}}]}}`}, {200, head}, {200, ""}, {200, "<html>"},
		{200, `null`}, {200, `[]`}, {200, `{"kind":"Gateway"}`}, {200, strings.Repeat(`{"kind":`, 5000)},
		{200, `{"kind":"GatewayList","items":[` + head + `}}],"metadata":{}}`}, {200, `{"kind":"GatewayList","items":[null,1,{}]}`},
		{200, `{"kind":"Status","apiVersion":"v1","status":"Success"}`},
		{404, status + `{"name":"a","kind":"gateways"}}`}, {404, status + `{}}`}, {404, "404 page not found\n"}, {404, "<html>"},
		{403, `{"kind":"Status","code":403,"reason":"Forbidden","details":{"causes":[{"reason":"NamespaceTerminating"}]}}`},
		{409, `{"kind":"Status","code":409,"reason":"Conflict","details":{"causes":[{"reason":"FieldManagerConflict","field":".spec"}]}}`},
		{422, `{"kind":"Status","code":422,"reason":"Invalid","details":{"causes":[{"field":"metadata.uid"}]}}`},
		{500, `{"kind":"Status","code":500,"message":"failed to create typed patch object"}`}, {400, strings.Repeat("x", 70000)},
		{200, head + `,"managedFields":[{"manager":"m","operation":"Apply","fieldsV1":{"f:spec":1}}],"annotations":{"egress.meshegress.io/owner":"{}"}}}`},
	} {
		f.Add(seed.code, seed.body)
	}
	id := manifest.ID{GVK: gatewayKind, Namespace: "ns", Name: "a"}
	desired := objectOf(f, 1, "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: a, namespace: ns}, spec: {selector: {a: b}}}")
	f.Fuzz(func(t *testing.T, code int, body string) {
		if code < 200 || code > 599 || code == 429 || code >= 500 && code != 501 || code == 401 {
			return // is tried again, which takes time and says nothing new
		}
		answer := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
			}, nil
		})
		client, err := New(&rest.Config{Host: "https://h.invalid", Transport: answer}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		explain := func(err error) {
			if err == nil {
				return
			}
			if summary, detail := Explain(err); summary == "" || detail == "" || len(summary)+len(detail) > 20000 {
				t.Errorf("explained in %d bytes: %.300s %.300s", len(summary)+len(detail), summary, detail)
			}
		}
		live, err := client.Get(ctx, id)
		explain(err)
		if err == nil && live == nil && (code != 404 || !strings.Contains(body, `"a"`) && !strings.Contains(body, "name")) {
			t.Errorf("%d %q means that there is none", code, body)
		}
		if live != nil && (live.GetName() != id.Name || live.GetKind() != id.GVK.Kind) {
			t.Errorf("%d %q is %s %s", code, body, live.GetKind(), live.GetName())
		}
		owner := Owner{Resource: "istio_egress_gateway", ImportID: "ns/a", Nonce: "0"}
		release := Release{Owner: owner, Objects: []manifest.Object{desired}}
		_, err = client.Observe(ctx, release)
		explain(err)
		_, err = client.Delete(ctx, release)
		explain(err)
		_, err = client.Create(ctx, release)
		explain(err)
	})
}
