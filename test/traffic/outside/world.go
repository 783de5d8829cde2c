package outside

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/meshegress/terraform-provider-istio/test/traffic/fabric"
)

// Role is the role of the machine.
const Role = "outside"

// Addresses of external hosts by name. They are those of the products' documents,
// in ranges for documentation; 1.1.1.1 is called by its address there.
var hosts = map[string]string{
	"www.httpbin.org": "203.0.113.10",
	"httpbin.org":     "203.0.113.10",
	"www.aliyun.com":  "203.0.113.20",
	"aliyun.com":      "203.0.113.21",
	"taobao.com":      "203.0.113.30",
	"test-tcp.com":    "203.0.113.40",
	"other.example":   "203.0.113.50",
	"1.1.1.1":         "1.1.1.1",
	// Of examples/demo.
	"db.partner.example": "203.0.113.7",
}

// Neighbours are the ranges of external hosts, for the interface of a pod.
var Neighbours = []string{"203.0.113.0/24", "1.1.1.1/32"}

// TCPPorts answer a line with a line.
var TCPPorts = []string{"44", "444", "5432"}

// Address returns the address of an external host, "" for an unknown one.
func Address(host string) string { return hosts[host] }

// World is the running machine.
type World struct {
	// CA is the path of the certificate that signed those of the HTTPS servers.
	CA      string
	socket  string
	machine *fabric.Machine
}

type task struct{ CA, Socket string }

// Start starts the machine; it answers when Start returns. Files go into folder.
func Start(ctx context.Context, bridge *fabric.Bridge, folder string) (*World, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	w := &World{CA: filepath.Join(folder, "ca.crt"), socket: filepath.Join(folder, "socket")}
	card := fabric.Interface{Neighbours: []string{fabric.Pods}}
	seen := map[string]bool{}
	for _, address := range hosts {
		if !seen[address] {
			seen[address] = true
			card.Addresses = append(card.Addresses, address+"/32")
		}
	}
	var err error
	w.machine, err = bridge.Start(Role, card, task{CA: w.CA, Socket: w.socket}, filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	return w, w.machine.Await(ctx, func() bool {
		_, err := w.Arrived(ctx, "")
		return err == nil
	})
}

// Arrived returns what has reached a server of the calls with this ID.
func (w *World) Arrived(ctx context.Context, id string) ([]Arrival, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://outside/?id="+url.QueryEscape(id), nil)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", w.socket)
	}}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	var arrivals []Arrival
	return arrivals, json.NewDecoder(response.Body).Decode(&arrivals)
}
