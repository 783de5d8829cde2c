package sandbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// workload is the application of a pod: it makes the calls that it is asked for.
type workload struct {
	roots    *x509.CertPool
	identity string
}

func newWorkload(task Task) *workload {
	w := &workload{roots: x509.NewCertPool(), identity: task.Identity}
	if pem, err := os.ReadFile(task.CA); err == nil {
		w.roots.AppendCertsFromPEM(pem)
	}
	return w
}

// ServeHTTP answers a Call with an Answer.
func (w *workload) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var call Call
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	if call.Timeout == 0 {
		call.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(r.Context(), call.Timeout)
	defer cancel()
	_ = json.NewEncoder(rw).Encode(w.make(ctx, call))
}

func (w *workload) make(ctx context.Context, call Call) Answer {
	host, _, err := net.SplitHostPort(call.Address)
	if err != nil {
		return Answer{Error: err.Error()}
	}
	if call.Host == "" {
		call.Host = host
	}
	if call.SNI == "" {
		call.SNI = call.Host
	}
	var answer Answer
	switch call.Protocol {
	case HTTP, HTTPS:
		answer, err = w.request(ctx, call)
	case TCP:
		answer, err = w.exchange(ctx, call)
	case Mesh:
		answer, err = w.handshake(ctx, call)
	default:
		err = errors.New("unknown protocol " + call.Protocol)
	}
	if err != nil {
		answer.Error = plain(err)
	}
	return answer
}

// request opens a connection of its own, so that nothing of an earlier call
// decides about this one.
func (w *workload) request(ctx context.Context, call Call) (Answer, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{ServerName: call.SNI, RootCAs: w.roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, call.Address)
		},
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, call.Protocol+"://"+call.Address+"/"+call.ID, nil)
	if err != nil {
		return Answer{}, err
	}
	request.Host = call.Host
	response, err := transport.RoundTrip(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	answer := Answer{Status: response.StatusCode, Location: response.Header.Get("Location")}
	answer.read(body)
	return answer, err
}

// exchange sends one line and reads one.
func (w *workload) exchange(ctx context.Context, call Call) (Answer, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", call.Address)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := io.WriteString(conn, call.ID+"\n"); err != nil {
		return Answer{}, err
	}
	line, err := bufio.NewReader(conn).ReadBytes('\n')
	var answer Answer
	answer.read(line)
	if answer.Echo != nil {
		err = nil
	}
	return answer, err
}

// read tells a server's echo from the text of a proxy.
func (a *Answer) read(body []byte) {
	var echo Echo
	if json.Unmarshal(body, &echo) == nil && echo.Server != "" {
		a.Echo = &echo
		return
	}
	a.Body = strings.TrimSpace(string(body))
}

// plain takes addresses and layers out of an error.
func plain(err error) string {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	}
	return err.Error()
}
