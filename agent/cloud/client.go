package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Options say which service, where and as whom.
type Options struct {
	HTTP        *http.Client            // share one per process, see [HTTP]; nil: one without a CA bundle
	Region      string                  // of the credential scope
	Endpoint    string                  // address with scheme, see [Endpoint]
	Service     string                  // signing name: ssm, ec2messages
	Target      string                  // prefix of X-Amz-Target: wire.TargetSSM
	UserAgent   string                  // see [UserAgent]
	Credentials aws.CredentialsProvider // signs with SigV4; nil together with Node: nothing is signed
	Node        *NodeKey                // signs as a hybrid node instead
	Log         *slog.Logger            // nil: silent
	Retries     int                     // attempts after the first; 0: three; negative: none
	Timeout     time.Duration           // of one attempt, reading the answer included; 0: none

	Now   func() time.Time                           // nil: time.Now
	Pause func(context.Context, time.Duration) error // between attempts; nil: host.Sleep
}

// Client calls the operations of one service. It is safe for concurrent use.
type Client struct {
	o    Options
	skew atomic.Int64 // how far the service's clock is ahead of ours, in nanoseconds, once that mattered
}

// longestAnswer bounds what is read of an answer, in bytes.
const longestAnswer = 16 << 20

// New completes the options.
func New(o Options) *Client {
	if o.HTTP == nil {
		o.HTTP = newHTTP(nil)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = host.Sleep
	}
	switch {
	case o.Retries == 0:
		o.Retries = 3
	case o.Retries < 0:
		o.Retries = 0
	}
	return &Client{o: o}
}

// Call sends one operation, in as JSON ("{}" for nil), and reads the answer into out (nil: ignored, as long as it is JSON or
// empty). Failures are tried again (docs/protocol/runcommand.md, "Transport of ec2messages"); every attempt is signed anew.
// Errors: [*Error], or what the credentials provider said.
func (c *Client) Call(ctx context.Context, operation string, in, out any) error {
	body := []byte("{}")
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("cannot write %s: %w", operation, err)
		}
	}
	for n := 0; ; n++ {
		err := c.attempt(ctx, operation, body, out)
		if c.corrected(err) {
			err = c.attempt(ctx, operation, body, out)
		}
		if expired(err) || unknownKey(err) {
			invalidate(c.o.Credentials)
		}
		if err == nil || n >= c.o.Retries || ctx.Err() != nil || !retryable(err) {
			return err
		}
		wait := backOff(operation, err, n)
		c.o.Log.Debug("request failed, trying again", "operation", operation, "error", describe(err), "in", wait)
		if c.o.Pause(ctx, wait) != nil {
			return err
		}
	}
}

// backOff is 2^n × 1000..1499 ms; a long poll that the client's own limit ended waits 100 ms only.
func backOff(operation string, err error, n int) time.Duration {
	if operation == "GetMessages" && Timeout(err) {
		return 100 * time.Millisecond
	}
	return time.Duration(1000+rand.IntN(500)) * time.Millisecond << n //nolint:gosec // a pause is no secret
}

func (c *Client) attempt(ctx context.Context, operation string, body []byte, out any) error {
	if c.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.o.Timeout)
		defer cancel()
	}
	req, err := c.request(ctx, operation, body)
	if err != nil {
		return err
	}
	res, err := c.o.HTTP.Do(req)
	if err != nil {
		return transportError(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, longestAnswer))
	if err != nil {
		return transportError(err)
	}
	if res.StatusCode/100 != 2 {
		return answerError(res, answer)
	}
	if len(bytes.TrimSpace(answer)) == 0 {
		return nil
	}
	if out == nil {
		out = new(json.RawMessage) // it must be an answer all the same: a page of a proxy in between is none
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &Error{Code: SerializationError, Message: operation + ": " + err.Error(), Status: res.StatusCode,
			RequestID: requestID(res), cause: err}
	}
	return nil
}

// request is signed before User-Agent is set: that header is never part of a signature.
func (c *Client) request(ctx context.Context, operation string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("cannot use endpoint %s: %w", c.o.Endpoint, err)
	}
	req.Header.Set("Content-Type", wire.ContentType)
	req.Header.Set("X-Amz-Target", c.o.Target+"."+operation)
	switch {
	case c.o.Node != nil:
		err = c.o.Node.sign(req, body, c.o.Region, c.o.Service, c.now())
	case c.o.Credentials != nil:
		err = signV4(ctx, c.o.Credentials, req, host.SHA256Bytes(body), c.o.Region, c.o.Service, c.now())
	}
	if err != nil {
		return nil, err
	}
	if c.o.UserAgent != "" {
		req.Header.Set("User-Agent", c.o.UserAgent)
	}
	return req, nil
}

func requestID(res *http.Response) string {
	if id := res.Header.Get("X-Amzn-Requestid"); id != "" {
		return id
	}
	return res.Header.Get("X-Amz-Request-Id")
}

func answerError(res *http.Response, body []byte) *Error {
	e := &Error{Status: res.StatusCode, RequestID: requestID(res)}
	e.date, _ = http.ParseTime(res.Header.Get("Date"))
	if w, ok := wire.ParseError(body); ok {
		e.Code, e.Message = w.Code, w.Message
		return e
	}
	e.Code, e.Message = UnknownError, "the answer was HTTP "+res.Status
	return e
}
