package fabric

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
)

// Addresses of the lab, those of a usual cluster.
const (
	// Host is the bridge's own address, where control plane and name server listen.
	Host = "10.244.0.1"
	// Pods is the range of pods, on the bridge.
	Pods = "10.244.0.0/16"
)

// Bridge connects machines.
type Bridge struct {
	link netlink.Link

	mu   sync.Mutex
	last netip.Addr
	n    int
}

// NewBridge makes the bridge and gives it the address Host.
func NewBridge() (*Bridge, error) {
	if err := up("lo"); err != nil {
		return nil, err
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "fabric"}}
	if err := netlink.LinkAdd(bridge); err != nil {
		return nil, fmt.Errorf("make the bridge: %w", err)
	}
	if err := addAddress(bridge, Host+"/16"); err != nil {
		return nil, err
	}
	return &Bridge{link: bridge, last: netip.MustParseAddr("10.244.1.0")}, netlink.LinkSetUp(bridge)
}

// PodAddress returns an address that no pod has had before: what is still on its
// way to a pod of the past reaches nobody.
func (b *Bridge) PodAddress() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = b.last.Next()
	return b.last.String()
}

// plug lays a cable from the bridge into the network namespace of a process,
// where it ends as eth0.
func (b *Bridge) plug(pid int) error {
	b.mu.Lock()
	b.n++
	name := fmt.Sprintf("cable%d", b.n)
	b.mu.Unlock()
	cable := netlink.NewVeth(netlink.LinkAttrs{Name: name, MasterIndex: b.link.Attrs().Index})
	cable.PeerName, cable.PeerNamespace = "eth0", netlink.NsPid(pid)
	if err := netlink.LinkAdd(cable); err != nil {
		return fmt.Errorf("lay a cable to process %d: %w", pid, err)
	}
	return netlink.LinkSetUp(cable)
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err == nil {
		err = netlink.LinkSetUp(link)
	}
	if err != nil {
		return fmt.Errorf("interface %s: %w", name, err)
	}
	return nil
}

func addAddress(link netlink.Link, address string) error {
	parsed, err := netlink.ParseAddr(address)
	if err == nil {
		err = netlink.AddrAdd(link, parsed)
	}
	if err != nil {
		return fmt.Errorf("address %s of %s: %w", address, link.Attrs().Name, err)
	}
	return nil
}

func addRoute(link netlink.Link, to, via string) error {
	_, destination, err := net.ParseCIDR(to)
	if err != nil {
		return err
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: destination, Scope: netlink.SCOPE_LINK}
	if via != "" {
		route.Gw, route.Scope = net.ParseIP(via), netlink.SCOPE_UNIVERSE
	}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("route to %s: %w", to, err)
	}
	return nil
}
