package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
)

// Proxy stands between clients and one API server. It is safe for concurrent
// use.
type Proxy struct {
	// Host is the address to connect to, such as https://127.0.0.1:41234.
	Host string
	// CAData is the PEM certificate of the authority that signed the proxy's.
	CAData []byte

	server   *http.Server
	listener *listener
	upstream *url.URL
	next     http.RoundTripper
	forward  *httputil.ReverseProxy
	stopped  chan struct{}
	stop     sync.Once

	mu      sync.Mutex
	rules   []*armed
	journal []Request
}

// Start starts a proxy on loopback in front of the server of config. Only its
// address and CA are used, never its credentials.
func Start(config *rest.Config) (*Proxy, error) {
	upstream, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	next, err := rest.TransportFor(&rest.Config{Host: config.Host, TLSClientConfig: rest.TLSClientConfig{
		CAData: config.CAData, CAFile: config.CAFile, ServerName: config.ServerName,
	}})
	if err != nil {
		return nil, err
	}
	own, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(own, key)
	if err != nil {
		return nil, err
	}
	inner, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		Host: "https://" + inner.Addr().String(), CAData: own,
		listener: newListener(inner), upstream: upstream, next: next, stopped: make(chan struct{}),
	}
	quiet := log.New(io.Discard, "", 0)
	p.forward = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport:     next,
		FlushInterval: -1, // watches
		ErrorLog:      quiet,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.server = &http.Server{
		Handler:           http.HandlerFunc(p.serve),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		ErrorLog:          quiet,
		ReadHeaderTimeout: time.Minute,
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	go func() { _ = p.server.ServeTLS(p.listener, "", "") }()
	return p, nil
}

// Stop ends the proxy and all that goes through it.
func (p *Proxy) Stop() {
	p.stop.Do(func() {
		close(p.stopped)
		_ = p.server.Close()
		p.listener.dropAll()
	})
}

// Config returns how a client with a bearer token connects through the proxy.
func (p *Proxy) Config(token string) *rest.Config {
	return &rest.Config{Host: p.Host, BearerToken: token, TLSClientConfig: rest.TLSClientConfig{CAData: p.CAData}}
}

type connKey struct{}

// serve forwards a request, or does what the first rule that wants it says.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	request := describe(r)
	fault, seq := p.choose(request)
	recorder := &codeRecorder{ResponseWriter: w}
	defer func() { p.answered(seq, recorder.code) }()
	if fault.act == nil {
		p.forward.ServeHTTP(recorder, r)
		return
	}
	fault.act(&exchange{proxy: p, w: recorder, r: r, request: request})
}

// choose notes a request and returns the fault for it.
func (p *Proxy) choose(request Request) (Fault, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var fault Fault
	for _, rule := range p.rules {
		if rule.wants(request) {
			fault = rule.Fault
			break
		}
	}
	request.Fault = fault.Name
	p.journal = append(p.journal, request)
	return fault, len(p.journal) - 1
}

func (p *Proxy) answered(seq, code int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if seq < len(p.journal) {
		p.journal[seq].Code = code
	}
}

// Arm replaces the rules and begins a new journal.
func (p *Proxy) Arm(rules ...Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules, p.journal = nil, nil
	for _, rule := range rules {
		p.rules = append(p.rules, &armed{Rule: rule})
	}
}

// Disarm takes all rules away. The journal goes on.
func (p *Proxy) Disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = nil
}

// Journal returns the requests since Arm, in the order in which they came.
func (p *Proxy) Journal() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.journal...)
}

// Shape makes all connections that are opened from now on go over a link, and
// closes those that are open.
func (p *Proxy) Shape(link Link) {
	p.listener.shape(link)
	p.listener.dropAll()
}

// Down resets every connection, and every new one, for so long.
func (p *Proxy) Down(d time.Duration) {
	p.listener.refuse(time.Now().Add(d))
	p.listener.dropAll()
}

// codeRecorder remembers the status code of an answer.
type codeRecorder struct {
	http.ResponseWriter
	code int
}

func (c *codeRecorder) WriteHeader(code int) {
	c.code = code
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController, and so the reverse proxy, flush.
func (c *codeRecorder) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// exchange is one request that meets a fault.
type exchange struct {
	proxy   *Proxy
	w       http.ResponseWriter
	r       *http.Request
	request Request
}

// answer is what the API server said.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

// send passes the request on, whatever becomes of the client meanwhile, and
// keeps the answer.
func (x *exchange) send() (answer, error) {
	body, err := io.ReadAll(x.r.Body)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), time.Minute)
	defer cancel()
	out := x.r.Clone(ctx)
	out.URL.Scheme, out.URL.Host, out.Host, out.RequestURI = x.proxy.upstream.Scheme, x.proxy.upstream.Host, "", ""
	out.Body = io.NopCloser(bytes.NewReader(body))
	out.ContentLength = int64(len(body))
	response, err := x.proxy.next.RoundTrip(out)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return answer{code: response.StatusCode, header: response.Header, body: text}, err
}

// withBody returns the request with its body, which can still be sent.
func (x *exchange) withBody() Request {
	body, _ := io.ReadAll(x.r.Body)
	x.r.Body = io.NopCloser(bytes.NewReader(body))
	request := x.request
	request.Body = body
	return request
}

// pass forwards the request as if there were no fault.
func (x *exchange) pass() { x.proxy.forward.ServeHTTP(x.w, x.r) }

// say answers.
func (x *exchange) say(code int, header http.Header, body []byte) {
	for name, values := range header {
		x.w.Header()[name] = values
	}
	x.w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	x.w.WriteHeader(code)
	_, _ = x.w.Write(body)
}

// reset closes the client's connection without a word.
func (x *exchange) reset() {
	if conn, ok := x.r.Context().Value(connKey{}).(net.Conn); ok {
		drop(conn)
	}
	panic(http.ErrAbortHandler)
}

// hang keeps the client waiting until it gives up.
func (x *exchange) hang() {
	select {
	case <-x.r.Context().Done():
	case <-x.proxy.stopped:
	}
	panic(http.ErrAbortHandler)
}

// drop ends a connection with an RST.
func drop(conn net.Conn) {
	for {
		switch c := conn.(type) {
		case *net.TCPConn:
			_ = c.SetLinger(0)
			_ = c.Close()
			return
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			_ = conn.Close()
			return
		}
	}
}

// errDown ends an accepted connection.
var errDown = errors.New("proxy: down")
