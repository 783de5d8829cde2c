package ports

// The ports of a gateway's pods.
const (
	// First and Last bound the range from which ports are assigned. It is
	// ASM's range for automatic assignment.
	First, Last int64 = 10000, 20000
	// Unprivileged is the lowest port that a container may open without a
	// privilege; a gateway whose pod has ISTIO_META_UNPRIVILEGED_POD=true
	// skips servers below it without a word (istio/istio#38295).
	Unprivileged int64 = 1024
	// Highest is the highest port number there is.
	Highest int64 = 65535
)

// Istio's own ports on a gateway pod. istiod does not check that a server
// keeps off them.
// Source: https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio
const (
	reservedFirst, reservedLast int64 = 15000, 15099
	// reservedAutoPassthrough is the port of east-west gateways.
	reservedAutoPassthrough int64 = 15443
)

// Reserved reports whether Istio itself uses the port on a gateway's pods.
func Reserved(port int64) bool {
	return port >= reservedFirst && port <= reservedLast || port == reservedAutoPassthrough
}

// Assignable reports whether a port may be assigned.
func Assignable(port int64) bool { return port >= First && port <= Last && !Reserved(port) }

// assignable are the ports that may be assigned, in ascending order.
var assignable = func() []int64 {
	var all []int64
	for port := First; port <= Last; port++ {
		if Assignable(port) {
			all = append(all, port)
		}
	}
	return all
}()

// Scarce is the number of ports from which on a gateway's range counts as nearly
// full: a tenth of it, so that there is time to act.
const Scarce = 1000

// Left returns how many ports may still be assigned, beside those that taken
// reports.
func Left(taken func(port int64) bool) int {
	left := 0
	for _, port := range assignable {
		if !taken(port) {
			left++
		}
	}
	return left
}
