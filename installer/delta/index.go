package delta

import "encoding/binary"

const (
	seed     = 16  // bytes that a match has at least
	hashBits = 22  //
	tried    = 100 // of the places with a hash, so many are looked at
)

// index finds where bytes of a program lie: the places of each hash of 16 bytes, in a chain.
type index struct {
	old  []byte
	head []int32 // by hash: the first place, -1 for none
	next []int32 // by place: the next one with its hash
}

func newIndex(old []byte) *index {
	x := &index{old, make([]int32, 1<<hashBits), make([]int32, len(old))}
	for i := range x.head {
		x.head[i] = -1
	}
	for i := len(old) - seed; i >= 0; i-- {
		h := hashOf(old[i:])
		x.next[i], x.head[h] = x.head[h], int32(i)
	}
	return x
}

func hashOf(b []byte) uint32 {
	x := binary.LittleEndian.Uint64(b)*0x9E3779B97F4A7C15 ^ binary.LittleEndian.Uint64(b[8:])*0xC2B2AE3D27D4EB4F
	return uint32((x * 0x9FB21C651E98DF25) >> (64 - hashBits))
}

// longest is where the old program goes on longest as the bytes do, and how long; of equal ones the place near.
func (x *index) longest(bytes []byte, near int) (pos, n int) {
	if near >= 0 && near < len(x.old) {
		pos, n = near, common(x.old[near:], bytes)
	}
	if len(bytes) < seed {
		return pos, n
	}
	tries := 0
	for i := x.head[hashOf(bytes)]; i >= 0 && tries < tried; i = x.next[i] {
		tries++
		if l := common(x.old[i:], bytes); l > n {
			pos, n = int(i), l
		}
	}
	return pos, n
}

// common is how many bytes two texts begin with alike.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+8 <= n && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]) {
		i += 8
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
