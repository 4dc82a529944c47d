package s3

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// Values of x-amz-content-sha256 that are no hash.
const (
	unsignedPayload  = "UNSIGNED-PAYLOAD"
	streamUnsigned   = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	streamSigned     = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamSignedTail = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

// maxObject is the size limit of one upload.
const maxObject = 5 << 30

// payload is the body of a request as the client means it: decoded, and at its end held against every size, hash and
// checksum that was declared. A Read that returns io.EOF says that all of them are right.
type payload struct {
	src     io.Reader
	chunks  *chunked // nil: not aws-chunked
	size    int64    // declared; negative: not
	read    int64
	md5     hash.Hash
	wantMD5 []byte
	sha     hash.Hash // nil: not declared
	wantSHA string
	sums    map[string]hash.Hash
	want    map[string]string // by algorithm, base64; empty: comes in the trailer
}

// payload takes the body of a request; sums are the checksums that must hold, by algorithm.
func (c *call) payload(sums map[string]string) (*payload, error) {
	req := c.Request
	p := &payload{src: req.Body, size: req.ContentLength, md5: md5.New(), sums: map[string]hash.Hash{}, want: sums}
	for a := range p.want {
		p.sums[a] = newSum(a)
	}
	switch declared := req.Header.Get("X-Amz-Content-Sha256"); declared {
	case "", unsignedPayload:
	case streamUnsigned, streamSigned, streamSignedTail:
		if err := p.decode(c, declared); err != nil {
			return nil, err
		}
	default:
		if raw, err := hex.DecodeString(declared); err != nil || len(raw) != sha256.Size {
			return nil, protocol.Refuse("InvalidArgument", "x-amz-content-sha256 must be %s, %s, %s or a valid sha256 value.", unsignedPayload,
				streamUnsigned, streamSigned)
		}
		p.sha, p.wantSHA = sha256.New(), strings.ToLower(declared)
	}
	if text := req.Header.Get("Content-Md5"); text != "" {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != md5.Size {
			return nil, protocol.Refuse("InvalidDigest", "The Content-MD5 you specified is not valid.")
		}
		p.wantMD5 = raw
	}
	if p.size > maxObject {
		return nil, protocol.Refuse("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	return p, nil
}

// decode sets the payload to aws-chunked.
func (p *payload) decode(c *call, declared string) error {
	var signer *chunkSigner
	if declared != streamUnsigned {
		if !c.who.Signed() {
			return protocol.Deny("Access Denied")
		}
		signer = &chunkSigner{who: c.who, previous: c.who.Signature, sum: sha256.New()}
	}
	p.chunks = newChunked(c.Request.Body, signer)
	p.src, p.size = p.chunks, -1
	if text := c.Request.Header.Get("X-Amz-Decoded-Content-Length"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return protocol.Refuse("InvalidArgument", "x-amz-decoded-content-length is not a number")
		}
		p.size = n
	}
	return nil
}

func (p *payload) Read(b []byte) (int, error) {
	n, err := p.src.Read(b)
	p.read += int64(n)
	p.md5.Write(b[:n])
	if p.sha != nil {
		p.sha.Write(b[:n])
	}
	for _, s := range p.sums {
		s.Write(b[:n])
	}
	switch {
	case p.read > maxObject:
		return n, protocol.Refuse("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	case errors.Is(err, io.EOF):
		if bad := p.check(); bad != nil {
			return n, bad
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, errIncomplete()
	}
	return n, err
}

// check compares everything declared with what came.
func (p *payload) check() error {
	if p.size >= 0 && p.read != p.size {
		return errIncomplete()
	}
	if p.sha != nil && hex.EncodeToString(p.sha.Sum(nil)) != p.wantSHA {
		return protocol.Refuse("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	if p.wantMD5 != nil && string(p.md5.Sum(nil)) != string(p.wantMD5) {
		return protocol.Refuse("BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	for a, want := range p.want {
		if want == "" && p.chunks != nil {
			want = p.chunks.trailers[checksumHeader+a]
		}
		if want == "" {
			return protocol.Refuse("MalformedTrailerError", "The trailer %s%s is missing.", checksumHeader, a)
		}
		if got := base64Sum(p.sums[a]); got != want {
			return protocol.Refuse("BadDigest", "The %s you specified did not match the calculated checksum.", strings.ToUpper(a))
		}
	}
	return nil
}

// checksums are the declared and proven ones, by algorithm.
func (p *payload) checksums() map[string]string {
	out := map[string]string{}
	for a, s := range p.sums {
		out[a] = base64Sum(s)
	}
	return out
}

// etag is the MD5 of what was read.
func (p *payload) etag() string { return hex.EncodeToString(p.md5.Sum(nil)) }

// readSmall reads a whole XML body of at most 2 MiB.
func (c *call) readSmall(sums map[string]string) ([]byte, error) {
	p, err := c.payload(sums)
	if err != nil {
		return nil, err
	}
	const most = 2 << 20
	body, err := io.ReadAll(io.LimitReader(p, most+1))
	if err != nil {
		return nil, err
	}
	if len(body) > most {
		return nil, protocol.Fail(http.StatusBadRequest, "MaxMessageLengthExceeded",
			fmt.Sprintf("Your request was too big; at most %d bytes", most))
	}
	return body, nil
}
