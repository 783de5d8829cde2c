package ports

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
)

// Candidates yields every assignable port once, except those that taken
// reports, in an order that depends on key alone: double hashing over the
// range, so that two policies seldom try the same port first, and that many
// policies on one gateway do not queue up behind each other as they would
// with linear probing. A nil taken is no port taken.
//
// It yields nothing when all ports are taken.
func Candidates(key string, taken func(port int64) bool) iter.Seq[int64] {
	sum := sha256.Sum256([]byte(key))
	size := uint64(len(assignable))
	start := binary.BigEndian.Uint64(sum[0:8]) % size
	step := coprime(1+binary.BigEndian.Uint64(sum[8:16])%(size-1), size)
	return func(yield func(int64) bool) {
		for i := range size {
			port := assignable[(start+i*step)%size]
			if taken != nil && taken(port) {
				continue
			}
			if !yield(port) {
				return
			}
		}
	}
}

// coprime returns the first number from step upwards that has no factor in
// common with size: only such a step visits the whole range.
func coprime(step, size uint64) uint64 {
	for gcd(step, size) != 1 {
		step++
	}
	return step
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
