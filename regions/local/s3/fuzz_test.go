package s3

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"
)

// A body of chunks gives no more bytes than it holds, signed or not, and ends.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n6;chunk-signature=00\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"), false)
	f.Add([]byte("5;chunk-signature=0123\r\nhello\r\n0;chunk-signature=45\r\nx-amz-trailer-signature:67\r\n\r\n"), true)
	f.Add([]byte("0;chunk-signature=4\r\n\r\n"), true)
	f.Add([]byte("ffffffffffffffff\r\n"), false)
	f.Add([]byte("3\r\nab"), false)
	f.Fuzz(func(t *testing.T, body []byte, signed bool) {
		var signer *chunkSigner
		if signed {
			signer = &chunkSigner{sum: sha256.New()}
		}
		c := newChunked(bytes.NewReader(body), signer)
		got, err := io.ReadAll(c)
		if len(got) > len(body) {
			t.Errorf("%d bytes of %d", len(got), len(body))
		}
		if signed && err == nil {
			t.Error("a body without a signature was taken")
		}
		if err != nil {
			if _, again := c.Read(make([]byte, 1)); again == nil {
				t.Errorf("it goes on after %v", err)
			}
		}
	})
}
