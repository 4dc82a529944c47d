package host

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// SHA256 reads r to its end and returns its SHA-256 in lower-case hex.
func SHA256(r io.Reader) (string, error) {
	h := sha256.New()
	// The buffer is the same for every kind of reader and writer, so that hashing 60 MB needs no more memory than hashing one.
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{r}, make([]byte, 64<<10)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// SHA256File is the SHA-256 of a file in lower-case hex.
func SHA256File(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return SHA256(f)
}

// SHA256Bytes is the SHA-256 of data in lower-case hex.
func SHA256Bytes(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
