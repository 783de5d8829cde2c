package testbed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	_ "embed"
)

// stages is what the nodes that do not exist do with pods: see the file.
//
//go:embed stages.yaml
var stages []byte

// auditPolicy: one line per request as it comes in and one as it ends, nothing of
// the bodies. Probes are left out, they are nobody's requests.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*"]
- level: Metadata
`

// authentication trusts no issuer of tokens but the API server itself.
const authentication = `apiVersion: apiserver.config.k8s.io/v1beta1
kind: AuthenticationConfiguration
`

// component returns the process of one component of the multi-call executable, or
// of an executable of that name in KUBEBUILDER_ASSETS.
func (cp *ControlPlane) component(name string, args ...string) *process {
	argv := append([]string{cp.paths[Kubernetes], name}, args...)
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" && isFile(filepath.Join(assets, name)) {
		argv = append([]string{filepath.Join(assets, name)}, args...)
	}
	return &process{
		name: name, supervisor: cp.paths[supervisor], argv: argv, dir: cp.Dir, log: logPath(cp.Dir, name),
		// Fewer garbage collections: a third less CPU until ready.
		env: cleanEnv("GOGC=300", "GOMEMLIMIT=2GiB"),
	}
}

func (cp *ControlPlane) defineStorage() error {
	client, err := cp.ports.take()
	if err != nil {
		return err
	}
	peer, err := cp.ports.take()
	if err != nil {
		return err
	}
	clientURL, peerURL := "http://127.0.0.1:"+strconv.Itoa(client), "http://127.0.0.1:"+strconv.Itoa(peer)
	cp.etcdURL = clientURL
	cp.etcd = cp.component("etcd",
		"--name=testbed", "--data-dir="+filepath.Join(cp.Dir, "etcd"),
		"--listen-client-urls="+clientURL, "--advertise-client-urls="+clientURL,
		"--listen-peer-urls="+peerURL, "--initial-advertise-peer-urls="+peerURL,
		"--initial-cluster=testbed="+peerURL,
		// A single member elects itself after one election timeout, and nothing here
		// has to outlive a power cut.
		"--heartbeat-interval=50", "--election-timeout=500", "--unsafe-no-fsync", "--log-level=warn")
	return nil
}

func (cp *ControlPlane) defineAPIServer(opts Options) error {
	port, err := cp.ports.take()
	if err != nil {
		return err
	}
	pki := func(name string) string { return filepath.Join(cp.pki.dir, name) }
	if err := cp.pki.serving("apiserver", "localhost", "127.0.0.1", opts.BindAddress, "10.96.0.1",
		"kubernetes", "kubernetes.default", "kubernetes.default.svc"); err != nil {
		return err
	}
	if _, _, err := cp.pki.client("front-proxy-client"); err != nil {
		return err
	}
	policy := filepath.Join(cp.Dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o644); err != nil {
		return err
	}
	cp.Authentication = filepath.Join(cp.Dir, "authentication.yaml")
	if err := os.WriteFile(cp.Authentication, []byte(authentication), 0o644); err != nil {
		return err
	}
	cp.auditLog = filepath.Join(cp.Dir, "logs", "audit.jsonl")
	cp.Host = "https://" + net.JoinHostPort(opts.BindAddress, strconv.Itoa(port))
	cp.CAData = cp.pki.pem
	advertise := opts.AdvertiseAddress
	if advertise == "" {
		// Loopback is refused here, and looking for an address fails where there is no
		// default route. Nothing calls this one: it is from the documentation range.
		advertise = "192.0.2.1"
	}
	cp.apiserver = cp.component("kube-apiserver",
		"--etcd-servers="+cp.etcdURL,
		"--bind-address="+opts.BindAddress, "--secure-port="+strconv.Itoa(port), "--advertise-address="+advertise,
		"--tls-cert-file="+pki("apiserver.crt"), "--tls-private-key-file="+pki("apiserver.key"),
		"--client-ca-file="+pki("ca.crt"), "--authentication-config="+cp.Authentication,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+pki("sa.pub"), "--service-account-signing-key-file="+pki("sa.key"),
		"--authorization-mode=RBAC", "--allow-privileged=true", "--service-cluster-ip-range=10.96.0.0/16",
		// Aggregated APIs resolve through Endpoints, as there is no kube-proxy.
		"--enable-aggregator-routing=true",
		"--requestheader-client-ca-file="+pki("ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+pki("front-proxy-client.crt"), "--proxy-client-key-file="+pki("front-proxy-client.key"),
		// Blocking: a request's line is written before the request is worked on.
		"--audit-policy-file="+policy, "--audit-log-path="+cp.auditLog, "--audit-log-mode=blocking",
		// No rotation: marks are offsets into this one file (MB; 0 would mean 100).
		"--audit-log-maxsize=1000000",
		"--profiling=false")
	return nil
}

func (cp *ControlPlane) defineControllers() error {
	kubeconfig := map[string]string{}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler", "kwok"} {
		path, err := cp.writeKubeconfig(name)
		if err != nil {
			return err
		}
		kubeconfig[name] = "--kubeconfig=" + path
	}
	cp.controllers = cp.component("kube-controller-manager", kubeconfig["kube-controller-manager"],
		"--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000",
		"--service-account-private-key-file="+filepath.Join(cp.pki.dir, "sa.key"),
		"--root-ca-file="+filepath.Join(cp.pki.dir, "ca.crt"),
		"--cluster-signing-cert-file="+filepath.Join(cp.pki.dir, "ca.crt"),
		"--cluster-signing-key-file="+filepath.Join(cp.pki.dir, "ca.key"))
	cp.scheduler = cp.component("kube-scheduler", kubeconfig["kube-scheduler"],
		"--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=1000")

	stagesFile := filepath.Join(cp.Dir, "kwok-stages.yaml")
	if err := os.WriteFile(stagesFile, stages, 0o644); err != nil {
		return err
	}
	cp.kwok = cp.component("kwok", kubeconfig["kwok"], "--config="+stagesFile,
		"--manage-all-nodes=true", "--cidr=10.244.0.0/16", "--node-ip=10.243.0.1", "--node-lease-duration-seconds=40")
	// kwok looks for its own configuration below HOME.
	cp.kwok.env = append(cp.kwok.env, "HOME="+cp.Dir)
	return nil
}

// enoughForWrites leaves out of /readyz what only clients without system:masters
// have to wait for: the hundred default roles and bindings, which take a while.
const enoughForWrites = "/readyz?exclude=poststarthook/rbac/bootstrap-roles"

// apiReady waits until path answers 200.
func (cp *ControlPlane) apiReady(ctx context.Context, path string) error {
	client, err := kubernetes.NewForConfig(cp.RESTConfig)
	if err != nil {
		return err
	}
	return cp.apiserver.await(ctx, "becoming ready", func(ctx context.Context) error {
		body, err := client.RESTClient().Get().RequestURI(path).DoRaw(ctx)
		if err != nil {
			return fmt.Errorf("%w %s", err, body)
		}
		return nil
	})
}

// addNode creates a Node with plenty of capacity; kwok makes it Ready.
func (cp *ControlPlane) addNode(ctx context.Context, client kubernetes.Interface, name string) error {
	err := create(ctx, func() error {
		_, err := client.CoreV1().Nodes().Create(ctx, nodeObject(name), metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("create node %s: %w", name, err)
	}
	return nil
}

// create repeats a creation that an API server this young may refuse for other
// reasons than the object: admission plugins and API groups come up one by one.
func create(ctx context.Context, attempt func() error) error {
	for deadline := time.Now().Add(30 * time.Second); ; {
		err := attempt()
		switch {
		case err == nil || apierrors.IsAlreadyExists(err):
			return nil
		case apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || ctx.Err() != nil || time.Now().After(deadline):
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

var errNotYet = errors.New("not yet")
