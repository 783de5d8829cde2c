package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshegress/terraform-provider-istio/internal/acctest/testbed"
	"github.com/meshegress/terraform-provider-istio/internal/compile"
	"github.com/meshegress/terraform-provider-istio/internal/compile/policy"
	"github.com/meshegress/terraform-provider-istio/internal/manifest"
	"github.com/meshegress/terraform-provider-istio/test/faults/proxy"
)

const (
	// roundTrip is that of a cluster on another continent's near shore.
	roundTrip = 50 * time.Millisecond
	// wanLargest is with how many policies the long way is measured.
	wanLargest = 100
	// walkers is how many instances Terraform walks at once, unless told otherwise.
	walkers = 10
	// startRounds are those before the first write of an apply: plan and apply are two
	// processes of the provider, each of which shakes hands and lists once.
	startRounds = 4
	// firstPort of the gateway is given to the first policy that is written without the provider.
	firstPort = 20000
)

// wan is what the provider costs over a long way.
type wan struct {
	count int
	// stages is how many requests of one policy have to follow one another: what lets
	// traffic in is written when all before it is acknowledged.
	stages int
	// alone are the requests of an apply of a single policy.
	alone testbed.Requests
	// floor is how long client-go takes for the writes of an apply over the same way,
	// in the same order.
	floor time.Duration
	life
}

// rounds is how many round trips an apply has to wait for, one after the other.
func (w wan) rounds() int { return startRounds + w.stages*((w.count+walkers-1)/walkers) }

// minimum is the time of an apply in which nothing but the way takes time.
func (w wan) minimum() time.Duration { return time.Duration(w.rounds()) * roundTrip }

// wan measures the provider behind a link with a round trip of 50 ms.
func (l *lab) wan(ctx context.Context, count int) (*wan, error) {
	p, err := proxy.Start(l.controlPlane.RESTConfig)
	if err != nil {
		return nil, err
	}
	defer p.Stop()
	p.Shape(proxy.Link{RoundTrip: roundTrip})
	token, user, err := l.token(ctx)
	if err != nil {
		return nil, err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["far"] = &clientcmdapi.Cluster{Server: p.Host, CertificateAuthorityData: p.CAData}
	config.AuthInfos["far"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["far"] = &clientcmdapi.Context{Cluster: "far", AuthInfo: "far"}
	config.CurrentContext = "far"
	kubeconfig := filepath.Join(l.dir, "far.kubeconfig")
	if err := clientcmd.WriteToFile(*config, kubeconfig); err != nil {
		return nil, err
	}
	far := wan{count: count, stages: stages()}
	w, err := l.workspace(longWay, configuration(1), "KUBE_CONFIG_PATH="+kubeconfig)
	if err != nil {
		return nil, err
	}
	all := commands(true, nil, nil)
	single, err := l.live(ctx, w, l.provider, user, []command{all[1], all[len(all)-1]})
	if err != nil {
		return nil, err
	}
	far.alone = single.costs[applying].requests
	if w, err = l.workspace(longWay, configuration(count), "KUBE_CONFIG_PATH="+kubeconfig); err != nil {
		return nil, err
	}
	if far.life, err = l.live(ctx, w, l.provider, user, all); err != nil {
		return nil, err
	}
	far.floor, err = l.inOrder(ctx, &rest.Config{Host: p.Host, TLSClientConfig: rest.TLSClientConfig{CAData: p.CAData}, BearerToken: token, QPS: -1}, count)
	return &far, err
}

// inOrder applies the objects of so many policies with client-go, those of one stage by
// stage, as many policies at once as Terraform walks, and removes them again. It
// returns how long the first took.
func (l *lab) inOrder(ctx context.Context, config *rest.Config, count int) (time.Duration, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return 0, err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(walkers)
	all := make([][]object, count)
	began := time.Now()
	for i := range count {
		group.Go(func() error {
			for _, stage := range compiled(i) {
				if err := inParallel(groupCtx, stage, applyWith(client)); err != nil {
					return err
				}
				all[i] = append(all[i], stage...)
			}
			return nil
		})
	}
	err = group.Wait()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("apply in order: %w", err)
	}
	l.say("in order, without a provider: %.2f s", took.Seconds())
	err = inParallel(ctx, slices.Concat(all...), func(ctx context.Context, o object) error {
		err := removeWith(client)(ctx, o)
		if apierrors.IsNotFound(err) { // all policies have the shared object
			return nil
		}
		return err
	})
	return took, err
}

// stages counts the writes of a policy of the benchmark's shape that wait for one
// another.
func stages() int { return len(compiled(0)) }

// compiled are the objects of a policy of configuration, stage by stage.
func compiled(i int) [][]object {
	p := policy.Policy{
		Name: fmt.Sprintf("p%d", i), ByEgressGateway: &compile.Reference{Name: "egressgateway-a", Namespace: gatewayNamespace}, UnselectedWorkloads: policy.Deny,
		EgressRules: []policy.Rule{{
			Name: new("rule"),
			From: []policy.From{{Namespace: sourceNamespace, WorkloadSelector: map[string]string{"app": "sleep-a"}, ServiceAccounts: []string{"sleep-a"}}},
			To: []policy.To{{
				Name: "api", Hosts: []string{fmt.Sprintf("api-%d.partner.example", i)}, Port: policy.Port{Name: "https", Number: 443, Protocol: "HTTPS"},
			}},
		}},
	}
	ports := map[string]int64{}
	for _, slot := range policy.Slots(p) {
		ports[slot.Key] = int64(firstPort + i)
	}
	objects, _ := policy.Preview(p, compile.Mesh{RootNamespace: "istio-system", TrustDomain: "cluster.local", ClusterDomain: "cluster.local"}, ports)
	var all [][]object
	for _, stage := range manifest.Creating(objects) {
		var group []object
		for _, step := range stage {
			group = append(group, object{resourceOf(step.Object.Body.GetKind()), step.Object.Body})
		}
		all = append(all, group)
	}
	return all
}

// inTurn counts the rounds of requests: those that come in within one round trip of
// the first of their round cannot have waited for its answer.
func inTurn(requests testbed.Requests) int {
	var rounds int
	var first time.Time
	for _, r := range requests {
		if rounds == 0 || r.Time.Sub(first) >= roundTrip {
			rounds++
			first = r.Time
		}
	}
	return rounds
}

// token makes an administrator who has a bearer token: no client certificate gets
// through a proxy. It returns the user's name too.
func (l *lab) token(ctx context.Context) (token, user string, err error) {
	client, err := kubernetes.NewForConfig(l.controlPlane.RESTConfig)
	if err != nil {
		return "", "", err
	}
	const name, namespace = "far", "default"
	accounts := client.CoreV1().ServiceAccounts(namespace)
	if _, err := accounts.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		return "", "", err
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "far"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: namespace}},
	}
	if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return "", "", err
	}
	seconds := int64(time.Hour.Seconds())
	answer, err := accounts.CreateToken(ctx, name, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", "", fmt.Errorf("token of %s/%s: %w", namespace, name, err)
	}
	return answer.Status.Token, "system:serviceaccount:" + namespace + ":" + name, nil
}
