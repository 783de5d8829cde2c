package trafficpolicy

import "iter"

// sequence yields the ports that a slot may have, in the order to try them.
type sequence = iter.Seq[int64]

// only yields one port: the one that the configuration names.
func only(port int64) sequence {
	return func(yield func(int64) bool) { yield(port) }
}

// first yields a port, and then the others.
func first(port int64, others sequence) sequence {
	return func(yield func(int64) bool) {
		if !yield(port) {
			return
		}
		for other := range others {
			if !yield(other) {
				return
			}
		}
	}
}
