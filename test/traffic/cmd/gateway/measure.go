package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// patience bounds the wait for the last port.
	patience = 5 * time.Minute
	// settling is the time that proxies get to let go of what they have replaced.
	settling = 5 * time.Second
)

type measurement struct {
	policies int
	apply    time.Duration
	// served is the time from the end of apply until the last port answers.
	served                     time.Duration
	source, bystander, gateway proxy
}

// proxy is what an Envoy says of itself, and what its machine says of it.
type proxy struct {
	listeners int
	// allocated and resident are in bytes.
	allocated, resident int64
}

func (l *lab) measure(ctx context.Context, policies int) (measurement, error) {
	m := measurement{policies: policies}
	var ports []int
	var err error
	if ports, m.apply, err = l.apply(ctx, policies); err != nil {
		return m, err
	}
	if len(ports) != policies {
		return m, fmt.Errorf("%d ports for %d policies", len(ports), policies)
	}
	ended := time.Now()
	if policies == 0 { // the gateway is new
		if err := l.pods(ctx); err != nil {
			return m, err
		}
	}
	if err := l.answers(ctx, ports); err != nil {
		return m, err
	}
	m.served = time.Since(ended)
	select {
	case <-ctx.Done():
		return m, ctx.Err()
	case <-time.After(settling):
	}
	if m.source, err = l.look(ctx, l.source); err != nil {
		return m, err
	}
	if m.bystander, err = l.look(ctx, l.bystander); err != nil {
		return m, err
	}
	m.gateway, err = l.look(ctx, l.gateway)
	return m, err
}

// answers waits until the gateway accepts connections on all ports.
func (l *lab) answers(ctx context.Context, ports []int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, port := range ports {
		for {
			dialer := net.Dialer{Timeout: time.Second}
			connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(l.gateway.Status.PodIP, strconv.Itoa(port)))
			if err == nil {
				_ = connection.Close()
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("the gateway does not answer on port %d: %w", port, err)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

func (l *lab) look(ctx context.Context, pod corev1.Pod) (proxy, error) {
	var p proxy
	page, err := l.ask(ctx, pod, "memory")
	if err != nil {
		return p, err
	}
	var memory struct {
		Allocated string `json:"allocated"`
	}
	if err := json.Unmarshal(page, &memory); err != nil {
		return p, err
	}
	if p.allocated, err = strconv.ParseInt(memory.Allocated, 10, 64); err != nil {
		return p, err
	}
	if page, err = l.ask(ctx, pod, "listeners"); err != nil {
		return p, err
	}
	p.listeners = strings.Count(strings.TrimSpace(string(page)), "\n") + 1
	p.resident, err = l.resident(pod)
	return p, err
}

// resident returns the resident memory of a pod's Envoy.
func (l *lab) resident(pod corev1.Pod) (int64, error) {
	within := strings.Fields(l.Mesh.Within(pod.UID))
	network, err := os.Readlink(filepath.Join("/proc", within[len(within)-1], "ns", "net"))
	if err != nil {
		return 0, err
	}
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil || strings.TrimSpace(string(text)) != "envoy" {
			continue // or it has ended
		}
		if theirs, err := os.Readlink(filepath.Join(filepath.Dir(name), "ns", "net")); err != nil || theirs != network {
			continue
		}
		return residentOf(filepath.Join(filepath.Dir(name), "status"))
	}
	return 0, fmt.Errorf("no Envoy in pod %s/%s", pod.Namespace, pod.Name)
}

func residentOf(status string) (int64, error) {
	text, err := os.ReadFile(status)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New(status + ": no VmRSS")
}

// get writes a page.
func get(url string, out io.Writer) error {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(out, response.Body)
	return err
}
