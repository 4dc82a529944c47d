package sign

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sassoftware/relic/v7/lib/pkcs7"
	"github.com/sassoftware/relic/v7/lib/pkcs9"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// stamper asks a time-stamp server (RFC 3161 over HTTP).
type stamper struct{ url string }

// stamper is nil where no server is named.
func (s *Signer) stamper() pkcs9.Timestamper {
	if s.stampURL == "" {
		return nil
	}
	return stamper{url: s.stampURL}
}

const (
	stampTries   = 3
	stampTimeout = 30 * time.Second
	stampPause   = 500 * time.Millisecond
	stampMost    = 1 << 20
)

// Timestamp has a signature's bytes stamped, in three tries. Errors: ErrTimestamp.
func (s stamper) Timestamp(ctx context.Context, req *pkcs9.Request) (*pkcs7.ContentInfoSignedData, error) {
	sum := req.Hash.New()
	sum.Write(req.EncryptedDigest)
	imprint := sum.Sum(nil)
	for try := 1; ; try++ {
		token, err := s.request(ctx, req, imprint)
		if err == nil {
			return token, nil
		}
		if try == stampTries || ctx.Err() != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTimestamp, s.url, err)
		}
		if host.Sleep(ctx, stampPause) != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTimestamp, s.url, err)
		}
	}
}

func (s stamper) request(ctx context.Context, req *pkcs9.Request, imprint []byte) (*pkcs7.ContentInfoSignedData, error) {
	ctx, cancel := context.WithTimeout(ctx, stampTimeout)
	defer cancel()
	query, r, err := pkcs9.NewRequest(s.url, req.Hash, imprint)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, stampMost))
	if err != nil {
		return nil, err
	}
	return query.ParseResponse(body)
}
