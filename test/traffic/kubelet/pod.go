package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// pod is one pod from its start to its end.
type pod struct {
	kubelet *Kubelet
	object  *corev1.Pod // as it was scheduled
	address string
	dir     string

	mu      sync.Mutex
	ending  chan struct{} // closed when it has to end
	grace   time.Duration
	machine *fabric.Machine
}

func newPod(k *Kubelet, object *corev1.Pod) *pod {
	return &pod{
		kubelet: k, object: object, address: k.Bridge.PodAddress(),
		dir: k.podDir(object.UID), ending: make(chan struct{}),
	}
}

func (k *Kubelet) podDir(uid types.UID) string { return filepath.Join(k.Dir, string(uid)) }

// Socket is where the workload of a pod takes orders.
func (k *Kubelet) Socket(uid types.UID) string { return filepath.Join(k.podDir(uid), "workload") }

// LogFile is the file with the output of a pod's container.
func (k *Kubelet) LogFile(uid types.UID, container string) string {
	return filepath.Join(k.podDir(uid), container+".log")
}

// Pid is the process id of a running pod, 0 if there is none.
func (k *Kubelet) Pid(uid types.UID) int {
	k.mu.Lock()
	p := k.pods[uid]
	k.mu.Unlock()
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.machine == nil {
		return 0
	}
	return p.machine.Pid()
}

// end asks the pod to end; a shorter grace period than before counts.
func (p *pod) end(grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ending:
		if grace == 0 && p.machine != nil {
			go p.machine.Kill()
		}
	default:
		p.grace = grace
		close(p.ending)
	}
}

func graceOf(object *corev1.Pod) time.Duration {
	if seconds := object.DeletionGracePeriodSeconds; seconds != nil {
		return time.Duration(*seconds) * time.Second
	}
	return 30 * time.Second
}

// live is the whole life of a pod.
func (p *pod) live(ctx context.Context) {
	if err := p.start(ctx); err != nil {
		p.fail(ctx, err)
		return
	}
	probing, stop := context.WithCancel(ctx)
	defer stop()
	go p.probe(probing)
	select {
	case <-ctx.Done():
		return
	case <-p.machine.Done():
		p.fail(ctx, fmt.Errorf("%w: %s", errOr(p.machine.Err()), p.tail()))
		return
	case <-p.ending:
	}
	stop()
	p.machine.Stop(p.grace)
	p.kubelet.remove(ctx, p.object)
}

// fail reports a pod that will never serve (again); its owner makes another one.
func (p *pod) fail(ctx context.Context, why error) {
	select {
	case <-p.ending:
	default:
		p.kubelet.Log("pod %s/%s: %v", p.object.Namespace, p.object.Name, why)
		p.report(ctx, corev1.PodFailed, false, why.Error())
		select {
		case <-ctx.Done():
			return
		case <-p.ending:
		}
	}
	p.kubelet.remove(ctx, p.object)
}

// start prepares the pod's files and starts its machine.
func (p *pod) start(ctx context.Context) error {
	if err := os.Mkdir(p.dir, 0o755); err != nil {
		return err
	}
	task := sandbox.Task{
		Socket: p.kubelet.Socket(p.object.UID), CA: p.kubelet.CA, Sysctls: map[string]string{},
		Identity: filepath.Join(p.dir, proxyContainer, sandbox.Identity),
	}
	if security := p.object.Spec.SecurityContext; security != nil {
		for _, sysctl := range security.Sysctls {
			task.Sysctls[sysctl.Name] = sysctl.Value
		}
	}
	var err error
	if task.Init, task.Run, err = p.commands(ctx); err != nil {
		return err
	}
	card := fabric.Interface{
		Addresses: []string{p.address + "/16"}, Neighbours: p.kubelet.Neighbours, Gateway: fabric.Host,
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.machine, err = p.kubelet.Bridge.Start(sandbox.Role, card, task, p.kubelet.LogFile(p.object.UID, "pod")); err != nil {
		return err
	}
	return nil
}

// remove takes the pod's object away, as its processes are gone.
func (k *Kubelet) remove(ctx context.Context, object *corev1.Pod) {
	zero := int64(0)
	for {
		err := k.Client.CoreV1().Pods(object.Namespace).Delete(ctx, object.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &object.UID},
		})
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || !pause(ctx, time.Second) {
			return
		}
	}
}

func (p *pod) tail() string {
	text, err := os.ReadFile(p.kubelet.LogFile(p.object.UID, "pod"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// pause reports false when the context ends meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func errOr(err error) error {
	if err == nil {
		return errors.New("ended")
	}
	return err
}
