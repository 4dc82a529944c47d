package s3

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/ground"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// chunked reads a body of content encoding aws-chunked:
//
//	<hex size>[;chunk-signature=<hex>]\r\n<data>\r\n … 0[;chunk-signature=<hex>]\r\n[<trailer>:<value>\r\n …]\r\n
//
// With a signer every chunk's signature follows from the one before, beginning with the request's.
type chunked struct {
	r        *bufio.Reader
	left     int64 // of the present chunk
	signer   *chunkSigner
	trailers map[string]string // lower-case names; complete at EOF
	err      error             // how reading ended
}

// chunkSigner checks signed chunks.
type chunkSigner struct {
	who      protocol.Proof
	previous string
	claimed  string // of the present chunk
	sum      hash.Hash
}

func newChunked(body io.Reader, signer *chunkSigner) *chunked {
	return &chunked{r: bufio.NewReaderSize(body, 64<<10), signer: signer, trailers: map[string]string{}}
}

func (c *chunked) Read(p []byte) (int, error) {
	if c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.signer != nil {
		c.signer.sum.Write(p[:n])
	}
	if err != nil {
		c.err = errIncomplete()
	} else if c.left == 0 {
		c.err = c.endChunk()
	}
	if n > 0 {
		return n, nil
	}
	return n, c.err
}

// next reads the head of a chunk; after the last one the trailers, then io.EOF.
func (c *chunked) next() error {
	line, err := c.line()
	if err != nil {
		return errIncomplete()
	}
	text, extension, _ := strings.Cut(line, ";")
	size, err := strconv.ParseInt(strings.TrimSpace(text), 16, 64)
	if err != nil || size < 0 {
		return protocol.Refuse("InvalidChunkSizeError", "the chunk size %.20q is not a number", text)
	}
	if c.signer != nil {
		c.signer.claimed = strings.TrimPrefix(extension, "chunk-signature=")
		c.signer.sum.Reset()
	}
	if size > 0 {
		c.left = size
		return nil
	}
	if err := c.verifyChunk(); err != nil {
		return err
	}
	return c.readTrailers()
}

func (c *chunked) endChunk() error {
	if line, err := c.line(); err != nil || line != "" {
		return errIncomplete()
	}
	return c.verifyChunk()
}

func (c *chunked) verifyChunk() error {
	if c.signer == nil {
		return nil
	}
	return c.signer.verify()
}

// readTrailers reads header lines up to an empty one; it returns io.EOF when all is well.
func (c *chunked) readTrailers() error {
	var signed bytes.Buffer
	for {
		line, err := c.line()
		if line == "" && (err == nil || errors.Is(err, io.EOF)) {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if err != nil && !errors.Is(err, io.EOF) || !ok || len(c.trailers) > 16 {
			return protocol.Refuse("MalformedTrailerError", "The request contained trailing data that was not well-formed.")
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		c.trailers[name] = value
		if name != "x-amz-trailer-signature" {
			signed.WriteString(name + ":" + value + "\n")
		}
	}
	if c.signer != nil && signed.Len() > 0 {
		if err := c.signer.verifyTrailer(signed.Bytes(), c.trailers["x-amz-trailer-signature"]); err != nil {
			return err
		}
	}
	return io.EOF
}

// line reads up to \r\n (a bare \n is taken too), at most 4 KiB.
func (c *chunked) line() (string, error) {
	line, err := c.r.ReadSlice('\n')
	if len(line) > 4096 || errors.Is(err, bufio.ErrBufferFull) {
		return "", protocol.Refuse("InvalidRequest", "a line of the chunked body is too long")
	}
	return strings.TrimRight(string(line), "\r\n"), err
}

// verify checks the present chunk.
func (s *chunkSigner) verify() error {
	empty := sha256.Sum256(nil)
	return s.step("AWS4-HMAC-SHA256-PAYLOAD", hex.EncodeToString(empty[:])+"\n"+hex.EncodeToString(s.sum.Sum(nil)), s.claimed)
}

func (s *chunkSigner) verifyTrailer(lines []byte, claimed string) error {
	return s.step("AWS4-HMAC-SHA256-TRAILER", ground.SHA256(lines), claimed)
}

func (s *chunkSigner) step(algorithm, hashes, claimed string) error {
	if err := s.who.VerifyNext(algorithm, s.previous, hashes, claimed); err != nil {
		return err
	}
	s.previous = claimed
	return nil
}

func errIncomplete() error {
	return protocol.Fail(http.StatusBadRequest, "IncompleteBody",
		"You did not provide the number of bytes specified by the Content-Length HTTP header")
}
