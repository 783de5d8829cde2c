package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Options says what Start starts. The zero value is what nearly every test wants.
type Options struct {
	// Dir is the run directory: certificates, kubeconfigs, logs, the data of etcd.
	// Empty: a temporary one, which Stop removes (TESTBED_KEEP=1 leaves it).
	Dir string
	// Out gets the progress lines; nil: standard error.
	Out io.Writer
	// Istio: nil or true installs the Istio CRDs and istiod. False leaves a cluster
	// that has never heard of Istio.
	Istio *bool
	// IstioCRDs are the CRDs to install: a version of Istio, such as "1.26.8", or the
	// path of a YAML file. Empty: those of the istiod that is started.
	IstioCRDs string
	// IstiodEnv is added to istiod's environment, as NAME=value.
	IstiodEnv []string
	// Nodes is how many Node objects there are at the start; 0 means one, negative
	// means none. A test may create and change more: kwok plays every Node's kubelet.
	Nodes int
	// NoKwok leaves nodes and pods to the caller, who plays the kubelet himself.
	NoKwok bool
	// BindAddress is where kube-apiserver and istiod listen; default 127.0.0.1.
	BindAddress string
	// AdvertiseAddress is written into the endpoints of Service kubernetes; default:
	// an address of the documentation range.
	AdvertiseAddress string
	// UseKubeconfig says that the caller is safe to run on a cluster that already
	// exists: where KUBECONFIG is set, that one is taken and nothing is started.
	UseKubeconfig bool
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	// Kubeconfig is the path of the administrator's kubeconfig (client certificate,
	// group system:masters, user "admin").
	Kubeconfig string
	// RESTConfig is the same for client-go, without a rate limit. Copy it before changing it.
	RESTConfig *rest.Config
	// Host is the API server's URL, CAData the PEM of the CA that signed its certificate.
	Host   string
	CAData []byte
	// Dir is the run directory; logs are in Dir/logs.
	Dir string
	// Authentication is the path of the API server's AuthenticationConfiguration. It
	// is read again when it changes: a test adds issuers of tokens there.
	Authentication string
	// External: this is the cluster of KUBECONFIG, not ours to stop, count or restart.
	External bool
	// Istiod's addresses (host:port), empty without Istio.
	Istiod IstiodAddresses

	etcdURL   string
	auditLog  string
	paths     Paths
	pki       *authority
	ports     *portRange
	dirLock   *fileLock
	temporary bool

	etcd, apiserver, controllers, scheduler, kwok, istiod *process

	stopOnce sync.Once
	stopErr  error
}

// Start builds what is missing and starts a control plane. It returns when the API
// server is ready, the nodes are Ready and, with Istio, when its webhooks work: a
// pod is injected and an invalid VirtualService refused.
//
// Everything it started ends with Stop, and also when this process ends in any
// other way, kill -9 included.
func Start(ctx context.Context, opts Options) (_ *ControlPlane, err error) {
	if opts.Out == nil {
		opts.Out = os.Stderr
	}
	if opts.BindAddress == "" {
		opts.BindAddress = "127.0.0.1"
	}
	if opts.UseKubeconfig && os.Getenv("KUBECONFIG") != "" {
		return existing(os.Getenv("KUBECONFIG"))
	}
	withIstio := opts.Istio == nil || *opts.Istio
	tools := []Tool{supervisor, Kubernetes}
	if withIstio {
		tools = append(tools, Istio)
	}
	paths, err := Ensure(ctx, opts.Out, tools...)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	cp := &ControlPlane{paths: paths}
	defer func() {
		if err != nil {
			err = errors.Join(err, cp.Stop())
		}
	}()
	if err := cp.define(opts, withIstio); err != nil {
		return nil, err
	}
	// All at once: each of them waits for what it needs.
	if err := errors.Join(cp.etcd.start(), cp.apiserver.start()); err != nil {
		return nil, err
	}
	var manifest *istioManifest
	if withIstio {
		// Meanwhile: rendered once per pin, then read from the cache.
		if manifest, err = loadManifest(ctx, opts.Out, paths[Istio]); err != nil {
			return nil, err
		}
		if opts.IstioCRDs != "" {
			if manifest.crds, err = loadCRDs(ctx, opts.IstioCRDs); err != nil {
				return nil, err
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := cp.apiReady(ctx, enoughForWrites); err != nil {
		return nil, err
	}
	progress(opts.Out, began, "kube-apiserver answers at %s", cp.Host)

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return cp.startControllers(gctx, opts) })
	if withIstio {
		g.Go(func() error { return cp.startIstio(gctx, manifest) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if withIstio {
		if err := cp.istioReady(ctx); err != nil {
			return nil, err
		}
	}
	progress(opts.Out, began, "ready, KUBECONFIG=%s", cp.Kubeconfig)
	return cp, nil
}

func (cp *ControlPlane) define(opts Options, withIstio bool) error {
	if err := cp.makeDir(opts.Dir); err != nil {
		return err
	}
	var err error
	if cp.pki, err = newAuthority(filepath.Join(cp.Dir, "pki")); err != nil {
		return fmt.Errorf("certificates of the control plane: %w", err)
	}
	if cp.ports, err = newPorts(opts.BindAddress); err != nil {
		return err
	}
	steps := []func() error{
		cp.defineStorage,
		func() error { return cp.defineAPIServer(opts) },
		cp.defineControllers,
		func() (err error) { cp.Kubeconfig, err = cp.writeKubeconfig("admin"); return err },
		func() (err error) { cp.RESTConfig, err = restConfig(cp.Kubeconfig, "testbed"); return err },
	}
	if withIstio {
		steps = append(steps, func() error { return cp.defineIstiod(opts) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("prepare the control plane in %s: %w", cp.Dir, err)
		}
	}
	return nil
}

func (cp *ControlPlane) startControllers(ctx context.Context, opts Options) error {
	if err := cp.scheduler.start(); err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(cp.RESTConfig)
	if err != nil {
		return err
	}
	nodes := opts.Nodes
	if nodes == 0 {
		nodes = 1
	}
	for i := range nodes {
		if err := cp.addNode(ctx, client, fmt.Sprintf("node-%d", i+1)); err != nil {
			return err
		}
	}
	if !opts.NoKwok {
		if err := cp.kwok.start(); err != nil {
			return err
		}
	}
	// It gives up, and ends, when the API server is not healthy ten seconds after
	// its start (kube-controller-manager, app.Run: WaitForAPIServer).
	if err := cp.apiReady(ctx, "/readyz"); err != nil {
		return err
	}
	if err := cp.controllers.start(); err != nil {
		return err
	}
	if opts.NoKwok {
		return nil
	}
	return cp.nodesReady(ctx, client, nodes)
}

func existing(kubeconfig string) (*ControlPlane, error) {
	config, err := restConfig(kubeconfig, "testbed")
	if err != nil {
		return nil, fmt.Errorf("KUBECONFIG=%s: %w", kubeconfig, err)
	}
	return &ControlPlane{Kubeconfig: kubeconfig, RESTConfig: config, Host: config.Host, CAData: config.CAData, External: true}, nil
}

// Stop ends everything that Start started and, if the run directory is a temporary
// one, removes it. Calling it again does nothing.
func (cp *ControlPlane) Stop() error {
	cp.stopOnce.Do(func() {
		var wg sync.WaitGroup
		errs := make([]error, len(cp.processes()))
		for i, p := range cp.processes() {
			wg.Go(func() { errs[i] = p.end(false) })
		}
		wg.Wait()
		cp.stopErr = errors.Join(errs...)
		if cp.ports != nil {
			cp.ports.release()
		}
		if cp.temporary && os.Getenv("TESTBED_KEEP") == "" && cp.stopErr == nil {
			cp.stopErr = os.RemoveAll(cp.Dir)
		}
		cp.dirLock.unlock()
	})
	return cp.stopErr
}

func (cp *ControlPlane) processes() []*process {
	var all []*process
	for _, p := range []*process{cp.istiod, cp.kwok, cp.scheduler, cp.controllers, cp.apiserver, cp.etcd} {
		if p != nil {
			all = append(all, p)
		}
	}
	return all
}

// Logs returns the end of the named component's log (etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kwok, istiod): for a failing test's output.
func (cp *ControlPlane) Logs(component string) string {
	for _, p := range cp.processes() {
		if p.name == component {
			return p.logTail()
		}
	}
	return "no component " + component
}

func progress(out io.Writer, began time.Time, format string, args ...any) {
	_, _ = fmt.Fprintf(out, "testbed: %s (%.1f s)\n", strings.TrimSpace(fmt.Sprintf(format, args...)), time.Since(began).Seconds())
}
