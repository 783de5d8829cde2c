package outside

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
	"github.com/meshegress/terraform-provider-istio/test/traffic/sandbox"
)

// Arrival is a call as it reached a server.
type Arrival = sandbox.Echo

// journal keeps what has arrived, by ID.
type journal struct {
	mu   sync.Mutex
	byID map[string][]Arrival
}

func (j *journal) add(a Arrival) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.byID[a.ID] = append(j.byID[a.ID], a)
}

// Main is the machine's only process.
func Main() error {
	var t task
	if err := fabric.Boot(os.Stdin, &t); err != nil {
		return err
	}
	authority, err := newAuthority()
	if err != nil {
		return err
	}
	j := &journal{byID: map[string][]Arrival{}}
	failed := make(chan error)
	serve := func(address string, serve func(net.Listener) error) error {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			go func() { failed <- serve(listener) }()
		}
		return err
	}
	errs := []error{
		serve(":80", func(l net.Listener) error { return http.Serve(l, j.web()) }),
		serve(":443", func(l net.Listener) error {
			return http.Serve(tls.NewListener(l, &tls.Config{GetCertificate: authority.certificate}), j.web())
		}),
	}
	for _, port := range TCPPorts {
		errs = append(errs, serve(":"+port, j.lines))
	}
	if err := errors.Join(append(errs, os.WriteFile(t.CA, authority.pem, 0o644))...); err != nil {
		return err
	}
	control, err := net.Listen("unix", t.Socket)
	if err != nil {
		return err
	}
	go func() { failed <- http.Serve(control, j) }()
	return <-failed
}

// ServeHTTP answers World.Arrived.
func (j *journal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = json.NewEncoder(w).Encode(j.byID[r.URL.Query().Get("id")])
}

// web answers HTTP with a redirection and HTTPS with 200.
func (j *journal) web() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		echo := Arrival{
			Server: local.String(), Peer: hostOf(r.RemoteAddr), Host: r.Host, TLS: r.TLS != nil,
			ID: strings.TrimPrefix(r.URL.Path, "/"),
		}
		status := http.StatusMovedPermanently
		if r.TLS != nil {
			echo.SNI, status = r.TLS.ServerName, http.StatusOK
		} else {
			w.Header().Set("Location", "https://"+r.Host+r.URL.Path)
		}
		j.add(echo)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(echo)
	})
}

// lines reads one line of a connection and answers it.
func (j *journal) lines(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer func() { _ = conn.Close() }()
			line, err := bufio.NewReader(io.LimitReader(conn, 1024)).ReadString('\n')
			if err != nil && line == "" {
				return
			}
			echo := Arrival{Server: conn.LocalAddr().String(), Peer: hostOf(conn.RemoteAddr().String()), ID: strings.TrimSpace(line)}
			j.add(echo)
			_ = json.NewEncoder(conn).Encode(echo)
		}()
	}
}

func hostOf(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}
