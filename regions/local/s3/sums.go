package s3

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"
)

const checksumHeader = "x-amz-checksum-"

// crc64NVME is the polynomial of CRC-64/NVME, bits reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

// newSum makes the hash of a checksum algorithm by its lower-case name; nil for an unknown one.
func newSum(algorithm string) hash.Hash {
	switch algorithm {
	case "crc32":
		return crc32.NewIEEE()
	case "crc32c":
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "crc64nvme":
		return crc64.New(crc64.MakeTable(crc64NVME))
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	}
	return nil
}

// algorithmsOf are the checksums a request declares, in headers (with their value) or for the trailer (empty).
func algorithmsOf(h http.Header) map[string]string {
	found := map[string]string{}
	for _, name := range strings.Split(h.Get("X-Amz-Trailer"), ",") {
		if a, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(name)), checksumHeader); ok && newSum(a) != nil {
			found[a] = ""
		}
	}
	for _, a := range []string{"crc32", "crc32c", "crc64nvme", "sha1", "sha256"} {
		if v := h.Get(checksumHeader + a); v != "" {
			found[a] = v
		}
	}
	return found
}

// sumsShown are checksums as elements of an answer in XML, and what they were made of.
type sumsShown struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

// What a checksum is made of.
const (
	fullObject = "FULL_OBJECT" // all bytes
	composite  = "COMPOSITE"   // the checksums of the parts
)

func shownSums(sums map[string]string, kind string) sumsShown {
	if len(sums) == 0 {
		kind = ""
	}
	return sumsShown{ChecksumCRC32: sums["crc32"], ChecksumCRC32C: sums["crc32c"], ChecksumCRC64NVME: sums["crc64nvme"],
		ChecksumSHA1: sums["sha1"], ChecksumSHA256: sums["sha256"], ChecksumType: kind}
}

// sumOfParts is the composite checksum of parts, "<base64>-<number of parts>"; ok is false where a part lacks its own.
func sumOfParts(algorithm string, parts []part) (text string, ok bool) {
	sum := newSum(algorithm)
	if sum == nil {
		return "", false
	}
	for _, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p.Sums[algorithm])
		if err != nil || len(raw) == 0 {
			return "", false
		}
		sum.Write(raw)
	}
	return fmt.Sprintf("%s-%d", base64Sum(sum), len(parts)), true
}

func base64Sum(h hash.Hash) string { return base64.StdEncoding.EncodeToString(h.Sum(nil)) }
