package testbed

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// IstioNamespace is where istiod's ConfigMaps are.
const IstioNamespace = "istio-system"

// IstiodAddresses is where istiod listens, as host:port.
type IstiodAddresses struct {
	Webhooks   string // HTTPS, /inject and /validate
	XDS        string // plaintext gRPC
	SecureXDS  string // gRPC with TLS, and the CA
	HTTP       string // /ready and debug endpoints
	Monitoring string
}

func (cp *ControlPlane) defineIstiod(opts Options) error {
	for _, address := range []*string{&cp.Istiod.Webhooks, &cp.Istiod.XDS, &cp.Istiod.SecureXDS, &cp.Istiod.HTTP, &cp.Istiod.Monitoring} {
		port, err := cp.ports.take()
		if err != nil {
			return err
		}
		*address = net.JoinHostPort(opts.BindAddress, strconv.Itoa(port))
	}
	kubeconfig, err := cp.writeKubeconfig("istiod")
	if err != nil {
		return err
	}
	// istiod reads ./etc/istio and ./var/lib/istio of its working directory. They are
	// missing on purpose: it then watches ConfigMaps istio and istio-sidecar-injector,
	// and what a test changes there takes effect at once.
	dir := filepath.Join(cp.Dir, "istiod")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cp.istiod = &process{
		name:       "istiod",
		supervisor: cp.paths[supervisor],
		argv: []string{cp.paths[Istio], "pilot-discovery", "discovery",
			"--kubeconfig=" + kubeconfig, "--domain=cluster.local", "--keepaliveMaxServerConnectionAge=30m",
			"--httpsAddr=" + cp.Istiod.Webhooks, "--grpcAddr=" + cp.Istiod.XDS,
			"--secureGRPCAddr=" + cp.Istiod.SecureXDS, "--httpAddr=" + cp.Istiod.HTTP,
			"--monitoringAddr=" + cp.Istiod.Monitoring, "--ctrlz_port=0"},
		env: opts.IstiodEnv,
		dir: dir,
		log: logPath(cp.Dir, "istiod"),
	}
	return nil
}

// webhookHost is the name or address under which kube-apiserver calls istiod; the
// certificate that istiod makes for itself carries it.
func (cp *ControlPlane) webhookHost() string {
	host, _, _ := net.SplitHostPort(cp.Istiod.Webhooks)
	if net.ParseIP(host).IsLoopback() {
		return "localhost"
	}
	return host
}

func (cp *ControlPlane) startIstio(ctx context.Context, manifest *istioManifest) error {
	client, err := dynamic.NewForConfig(cp.RESTConfig)
	if err != nil {
		return err
	}
	if err := createNamespace(ctx, client, IstioNamespace); err != nil {
		return err
	}
	if err := applyAll(ctx, client, manifest.objects); err != nil {
		return err
	}
	// The ConfigMaps are there, and istiod looks for them as it starts; for CRDs it
	// waits by itself. The chart's environment first, ours over it, the caller's last
	// (the last one counts).
	extra := append(append([]string{}, manifest.env...),
		"REVISION=default", "POD_NAME=istiod-testbed", "POD_NAMESPACE="+IstioNamespace, "SERVICE_ACCOUNT=istiod",
		"ISTIOD_CUSTOM_HOST="+cp.webhookHost(), "CLUSTER_ID=Kubernetes")
	cp.istiod.env = cleanEnv(append(extra, cp.istiod.env...)...)
	if err := cp.istiod.start(); err != nil {
		return err
	}
	if err := cp.pointWebhooks(manifest.webhooks); err != nil {
		return err
	}
	return applyAll(ctx, client, append(manifest.webhooks, manifest.crds...))
}

// pointWebhooks turns references to istiod's Service, which nothing serves here,
// into the URL of the process.
func (cp *ControlPlane) pointWebhooks(configurations []*unstructured.Unstructured) error {
	_, port, err := net.SplitHostPort(cp.Istiod.Webhooks)
	if err != nil {
		return err
	}
	for _, configuration := range configurations {
		hooks, _, err := unstructured.NestedSlice(configuration.Object, "webhooks")
		if err != nil {
			return err
		}
		for _, h := range hooks {
			hook, _ := h.(map[string]any)
			path, ok, _ := unstructured.NestedString(hook, "clientConfig", "service", "path")
			if !ok {
				return fmt.Errorf("%s: a webhook without a Service", configuration.GetName())
			}
			hook["clientConfig"] = map[string]any{"url": "https://" + net.JoinHostPort(cp.webhookHost(), port) + path}
		}
		if err := unstructured.SetNestedSlice(configuration.Object, hooks, "webhooks"); err != nil {
			return err
		}
	}
	return nil
}

func createNamespace(ctx context.Context, client dynamic.Interface, name string) error {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name},
	}}
	return create(ctx, func() error {
		_, err := client.Resource(namespaces).Create(ctx, object, metav1.CreateOptions{})
		return err
	})
}

var namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

// applyAll creates the objects, sixteen at a time.
func applyAll(ctx context.Context, client dynamic.Interface, objects []*unstructured.Unstructured) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, object := range objects {
		g.Go(func() error {
			resource := client.Resource(resourceOf(object))
			err := create(ctx, func() (err error) {
				if ns := object.GetNamespace(); ns != "" {
					_, err = resource.Namespace(ns).Create(ctx, object, metav1.CreateOptions{})
				} else {
					_, err = resource.Create(ctx, object, metav1.CreateOptions{})
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("create %s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
			}
			return nil
		})
	}
	return g.Wait()
}

// istioReady waits until istiod answers, has given its CA to the webhooks, refuses
// an invalid object and injects a pod. Only dry runs are made for it.
func (cp *ControlPlane) istioReady(ctx context.Context) error {
	client, err := dynamic.NewForConfig(cp.RESTConfig)
	if err != nil {
		return err
	}
	steps := []struct {
		what  string
		ready func(context.Context) error
	}{
		{"becoming ready", cp.istiodAnswers},
		{"giving its CA to the webhooks", func(ctx context.Context) error { return cp.webhooksHaveCA(ctx, client) }},
		{"validating", func(ctx context.Context) error { return validates(ctx, client) }},
		{"injecting", func(ctx context.Context) error { return injects(ctx, client) }},
	}
	for _, step := range steps {
		if err := cp.istiod.await(ctx, step.what, step.ready); err != nil {
			return err
		}
	}
	return nil
}

func (cp *ControlPlane) istiodAnswers(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cp.Istiod.HTTP+"/ready", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/ready: %s", resp.Status)
	}
	return nil
}

func (cp *ControlPlane) webhooksHaveCA(ctx context.Context, client dynamic.Interface) error {
	for _, kind := range []string{"mutatingwebhookconfigurations", "validatingwebhookconfigurations"} {
		list, err := client.Resource(schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: kind}).
			List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, configuration := range list.Items {
			hooks, _, _ := unstructured.NestedSlice(configuration.Object, "webhooks")
			for _, h := range hooks {
				hook, _ := h.(map[string]any)
				if url, _, _ := unstructured.NestedString(hook, "clientConfig", "url"); !strings.HasPrefix(url, "https://"+cp.webhookHost()+":") {
					continue // a test's own
				}
				bundle, _, _ := unstructured.NestedString(hook, "clientConfig", "caBundle")
				pem, _ := base64.StdEncoding.DecodeString(bundle)
				if policy := hook["failurePolicy"]; len(pem) == 0 || policy != "Fail" {
					return fmt.Errorf("%s: %w (failure policy %v)", configuration.GetName(), errNotYet, policy)
				}
			}
		}
	}
	return nil
}

func validates(ctx context.Context, client dynamic.Interface) error {
	invalid := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"name": "testbed-probe"},
		"spec":     map[string]any{"hosts": []any{"example.com"}},
	}}
	_, err := client.Resource(schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"}).
		Namespace("default").Create(ctx, invalid, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	switch {
	case err == nil:
		return errors.New("an invalid VirtualService was admitted")
	case strings.Contains(err.Error(), "denied the request"):
		return nil
	default:
		return err
	}
}

func injects(ctx context.Context, client dynamic.Interface) error {
	pod := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": "testbed-probe", "labels": map[string]any{"sidecar.istio.io/inject": "true"}},
		"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "app"}}},
	}}
	created, err := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).
		Namespace("default").Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	if created.GetAnnotations()["sidecar.istio.io/status"] == "" {
		return errors.New("a pod was not injected")
	}
	return nil
}
