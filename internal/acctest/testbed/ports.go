package testbed

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// The range lies below every system's ephemeral ports: no outgoing connection can
// take the API server's port while a test has it stopped.
const (
	firstPort = 20000
	lastPort  = 29999
)

// portRange hands out ports and keeps them for its lifetime, against other
// control planes too: a locked file per port says "taken" and goes with the process.
type portRange struct {
	dir   string
	host  string
	locks []*fileLock
}

func newPorts(host string) (*portRange, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "ports")
	return &portRange{dir: dir, host: host}, os.MkdirAll(dir, 0o755)
}

func (p *portRange) take() (int, error) {
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := tryLock(filepath.Join(p.dir, strconv.Itoa(port)))
		if err != nil {
			return 0, err
		}
		if l == nil {
			continue
		}
		probe, err := net.Listen("tcp", net.JoinHostPort(p.host, strconv.Itoa(port)))
		if err != nil {
			l.unlock()
			continue
		}
		_ = probe.Close()
		p.locks = append(p.locks, l)
		return port, nil
	}
	return 0, errors.New("no free port on loopback between 20000 and 29999")
}

func (p *portRange) release() {
	for _, l := range p.locks {
		l.unlock()
	}
	p.locks = nil
}
