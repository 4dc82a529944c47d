package bom

import "hash"

// Sum is a running POSIX cksum: the CRC with polynomial 0x04C11DB7, not reflected, over the data and then over its length.
type Sum struct {
	crc    uint32
	length uint64
	table  *[256]uint32
}

var _ hash.Hash32 = (*Sum)(nil)

// NewSum begins a checksum.
func NewSum() *Sum {
	table := new([256]uint32)
	for i := range table {
		v := uint32(i) << 24
		for range 8 {
			top := v >> 31
			v = v<<1 ^ top*0x04C11DB7
		}
		table[i] = v
	}
	return &Sum{table: table}
}

// Write adds data; it never fails.
func (s *Sum) Write(p []byte) (int, error) {
	s.crc = s.roll(s.crc, p)
	s.length += uint64(len(p))
	return len(p), nil
}

func (s *Sum) roll(crc uint32, p []byte) uint32 {
	for _, b := range p {
		crc = crc<<8 ^ s.table[byte(crc>>24)^b]
	}
	return crc
}

// Sum32 is the checksum of what was written; more may follow.
func (s *Sum) Sum32() uint32 {
	crc := s.crc
	for n := s.length; n > 0; n >>= 8 {
		crc = s.roll(crc, []byte{byte(n)})
	}
	return ^crc
}

// Sum appends the checksum, big-endian.
func (s *Sum) Sum(b []byte) []byte {
	v := s.Sum32()
	return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// Reset begins anew.
func (s *Sum) Reset() { s.crc, s.length = 0, 0 }

// Size is four bytes.
func (s *Sum) Size() int { return 4 }

// BlockSize is one byte.
func (s *Sum) BlockSize() int { return 1 }
