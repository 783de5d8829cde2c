package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"sigs.k8s.io/yaml"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/leaks"
	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
)

// bed is the one control plane of this package's tests, started by the first
// that needs it.
var bed struct {
	once sync.Once
	cp   *testbed.ControlPlane
	err  error
}

func TestMain(m *testing.M) {
	os.Exit(leaks.Check(m.Run, func() {
		if bed.cp != nil {
			_ = bed.cp.Stop()
		}
	}))
}

// controlPlane returns the real API server with istiod's validation.
func controlPlane(t *testing.T) *testbed.ControlPlane {
	t.Helper()
	if os.Getenv("TF_ACC") != "1" {
		t.Skip("needs a real API server: set TF_ACC=1")
	}
	bed.once.Do(func() {
		if bed.cp, bed.err = testbed.Start(context.Background(), testbed.Options{}); bed.err != nil {
			t.Error(bed.err) // whole, once
		}
	})
	if bed.err != nil {
		t.Fatal("the control plane did not start")
	}
	return bed.cp
}

var clients atomic.Int64

// lab is one test's namespace and client.
type lab struct {
	*testing.T
	cp        *testbed.ControlPlane
	client    *Client
	namespace string
	agents    map[*Client]string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{T: t, cp: controlPlane(t), agents: map[*Client]string{}}
	l.namespace = fmt.Sprintf("lab-%d", clients.Add(1))
	l.client = l.newClient(Options{})
	if code, answer := l.raw("POST", "/api/v1/namespaces", `{"metadata":{"name":"`+l.namespace+`"}}`); code != 201 {
		t.Fatalf("namespace: %d %v", code, answer)
	}
	return l
}

// newClient returns a further client, as another provider process has it.
// wrap, if given, stands between it and the server.
func (l *lab) newClient(options Options, wrap ...transport.WrapperFunc) *Client {
	l.Helper()
	options.Version = fmt.Sprintf("test-%d-", clients.Add(1))
	config := rest.CopyConfig(l.cp.RESTConfig)
	for _, w := range wrap {
		config.Wrap(w)
	}
	client, err := New(config, options)
	if err != nil {
		l.Fatal(err)
	}
	l.agents[client] = "terraform-provider-istio/" + options.Version
	return client
}

// ctx ends soon enough to tell a hang from a failure.
func (l *lab) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	l.Cleanup(cancel)
	return ctx
}

// raw sends a request as somebody else: kubectl, an operator, a person.
func (l *lab) raw(method, path, body string, headers ...string) (int, map[string]any) {
	l.Helper()
	admin, err := New(l.cp.RESTConfig, Options{Version: "somebody-else"})
	if err != nil {
		l.Fatal(err)
	}
	request := admin.rest.Verb(method).RequestURI(path).MaxRetries(0)
	contentType := "application/json"
	if len(headers) > 0 {
		contentType = headers[0]
	}
	if body != "" {
		request = request.SetHeader("Content-Type", contentType).Body([]byte(body))
	}
	var code int
	result := request.Do(l.ctx()).StatusCode(&code)
	answer, err := result.Raw()
	if status, ok := statusOf(err); ok && len(answer) == 0 {
		answer, _ = json.Marshal(status)
	}
	var tree map[string]any
	_ = json.Unmarshal(answer, &tree)
	return code, tree
}

// merge edits an object as kubectl edit would.
func (l *lab) merge(id manifest.ID, patch string) {
	l.Helper()
	path, err := pathOf(id.GVK, id.Namespace, id.Name)
	if err != nil {
		l.Fatal(err)
	}
	code, answer := l.raw("PATCH", strings.Join(path, "/")+"?fieldManager=kubectl-edit", patch, "application/merge-patch+json")
	if code != 200 {
		l.Fatalf("edit of %s: %d %v", id, code, answer)
	}
}

// live returns an object as the server has it, nil if it has none.
func (l *lab) live(id manifest.ID) *unstructured.Unstructured {
	l.Helper()
	admin := l.newClient(Options{})
	object, err := admin.Get(l.ctx(), id)
	if err != nil {
		l.Fatal(err)
	}
	return object
}

func (l *lab) owner() Owner {
	return Owner{Resource: "istio_egress_gateway", ImportID: l.namespace + "/gw", Nonce: NewNonce()}
}

// object reads a manifest; $ns stands for the test's namespace.
func (l *lab) object(stage int, text string) manifest.Object {
	l.Helper()
	return objectOf(l, stage, strings.ReplaceAll(text, "$ns", l.namespace))
}

func objectOf(t testing.TB, stage int, text string) manifest.Object {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	body := &unstructured.Unstructured{}
	if err := body.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	labels := body.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels["app.kubernetes.io/managed-by"] = "terraform-provider-istio"
	body.SetLabels(labels)
	return manifest.Object{
		Key:   manifest.Key(body.GetKind(), body.GetNamespace(), body.GetName()),
		Stage: stage, Body: body,
	}
}

// requests returns what a client asked of the server, by verb and resource.
func (l *lab) requests(since testbed.Mark, client *Client) map[string]int {
	l.Helper()
	all, err := l.cp.Requests(since)
	if err != nil {
		l.Fatal(err)
	}
	return all.ByAgent(l.agents[client]).Count()
}

func (l *lab) mark() testbed.Mark {
	l.Helper()
	mark, err := l.cp.Mark()
	if err != nil {
		l.Fatal(err)
	}
	return mark
}

var (
	gatewayKind = schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "Gateway"}
	serviceKind = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
)

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx, cancel
}
