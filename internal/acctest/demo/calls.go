package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// call is one that a workload makes, and what has to become of it.
type call struct {
	from string // selector of the caller
	url  string
	want outcome
}

// outcome is what becomes of a call.
type outcome struct {
	// status of the response, whoever gives it; 0: none.
	status int
	// seen selects the pod from whose address the call comes to the server outside; "":
	// it does not come there.
	seen string
	// tls: it comes there over TLS.
	tls bool
	// text is part of what the caller sees of a refusal.
	text string
}

func answered(status int, seen string) outcome { return outcome{status: status, seen: seen} }
func secured(status int, seen string) outcome  { return outcome{status: status, seen: seen, tls: true} }
func refused(status int, text string) outcome  { return outcome{status: status, text: text} }

const (
	// patience bounds the wait for what the mesh has to learn.
	patience = time.Minute
	// again is how often a call has to come to the same before it is shown.
	again = 3
)

// made is a call that came to what was wanted.
type made struct {
	call
	// caller, and the pod whose address the server outside saw.
	caller, seen Pod
	path         string
	answer       Answer
}

// calls makes calls, shows what became of them, and checks it. Without traffic it
// does nothing.
func (s *stage) calls(ctx context.Context, intro string, calls ...call) error {
	if s.traffic == nil {
		return nil
	}
	say(s.out, "%s", intro)
	_, _ = fmt.Fprintln(s.out)
	for _, c := range calls {
		m, err := s.call(ctx, c)
		if err != nil {
			return err
		}
		s.made = append(s.made, m)
	}
	return nil
}

// call repeats a call until it comes to what is wanted, several times in a row, as
// the mesh takes a moment to learn what has changed; then it shows it.
func (s *stage) call(ctx context.Context, c call) (m made, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m.call = c
	if m.caller, err = s.pod(ctx, c.from); err == nil && c.want.seen != "" {
		m.seen, err = s.pod(ctx, c.want.seen)
	}
	if err != nil {
		return m, err
	}
	var wrong error
	for right := 0; right < again; {
		right++
		if err := s.try(ctx, &m); err != nil {
			right = 0
			if ctx.Err() == nil || wrong == nil { // not one that the deadline has cut short
				wrong = err
			}
		}
		select {
		case <-ctx.Done():
			return m, fmt.Errorf("%s calls %s: %w", name(c.from), c.url, errors.Join(wrong, ctx.Err()))
		case <-time.After(50 * time.Millisecond):
		}
	}
	_, err = fmt.Fprintf(s.out, "  %-8s %-30s %s\n", name(c.from), c.url, m.result())
	return m, err
}

// try makes a call once; the error says in what it differs from what is wanted.
func (s *stage) try(ctx context.Context, m *made) (err error) {
	m.path = strings.ToLower(rand.Text()[:8])
	if m.answer, err = s.traffic.Call(ctx, m.caller, m.url, m.path); err != nil {
		return err
	}
	got, want := m.answer, m.want
	if got.Status != want.status || got.Outside != (want.seen != "") || got.Peer != m.seen.IP || got.TLS != want.tls ||
		!strings.Contains(got.Text, want.text) {
		return fmt.Errorf("it should come to %+v, and came to %+v", want, got)
	}
	return nil
}

// result is what became of a call, for a reader.
func (m made) result() string {
	status := "---"
	if m.answer.Status != 0 {
		status = fmt.Sprint(m.answer.Status)
	}
	if !m.answer.Outside {
		return strings.TrimSuffix(status+"  refused: "+m.answer.Text, ": ")
	}
	if m.answer.Status == 0 {
		status = "ok "
	}
	text := status + "  answered; the server saw " + m.seen.IP
	if m.want.seen == gateway {
		text += ", the gateway"
	} else {
		text += ", the workload itself"
	}
	if m.answer.TLS {
		text += ", over TLS"
	}
	return text
}

// name is the value of a selector.
func name(selector string) string { return selector[strings.IndexByte(selector, '=')+1:] }

// pod returns the pod of a selector, in whichever namespace, that is ready and not on
// its way out.
func (s *stage) pod(ctx context.Context, selector string) (Pod, error) {
	output, err := s.kubectl(ctx, "get", "pods", "--all-namespaces", "--selector", selector, "-o", "json")
	if err != nil {
		return Pod{}, err
	}
	var list corev1.PodList
	if err := json.Unmarshal([]byte(output), &list); err != nil {
		return Pod{}, fmt.Errorf("pods %s: %w", selector, err)
	}
	for _, pod := range list.Items {
		for _, condition := range pod.Status.Conditions {
			if pod.DeletionTimestamp == nil && condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return Pod{Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID), IP: pod.Status.PodIP}, nil
			}
		}
	}
	return Pod{}, fmt.Errorf("no pod %s is ready", selector)
}

// accessLog shows the line of the gateway's access log about a call. Envoy writes once
// a second.
func (s *stage) accessLog(ctx context.Context, m made) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		text, err := s.traffic.Log(m.seen)
		if err != nil {
			return err
		}
		for line := range strings.Lines(text) {
			if strings.Contains(line, m.path) && strings.Contains(line, m.caller.IP) {
				_, err := fmt.Fprintf(s.out, "\n%s\n", strings.TrimSpace(line))
				return err
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the access log of %s should have a line about %s: %w", m.seen.Name, m.path, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
