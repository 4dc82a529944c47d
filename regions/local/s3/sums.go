package s3

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
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

func base64Sum(h hash.Hash) string { return base64.StdEncoding.EncodeToString(h.Sum(nil)) }
