package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// createLimit is how long the creation of a channel may take (docs/protocol/session.md, "CreateControlChannel / CreateDataChannel").
const createLimit = 15 * time.Second

// CreateChannel asks ssmmessages for the token of the channel at a path, in as JSON. It tries once: what opens channels has pauses of its
// own. Errors: [*Error], or what the credentials provider said.
func (c *Client) CreateChannel(ctx context.Context, path string, in any) (token string, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("cannot write the request for a channel: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, createLimit)
	defer cancel()
	token, err = c.createChannel(ctx, path, body)
	if c.corrected(err) {
		token, err = c.createChannel(ctx, path, body)
	}
	if expired(err) || unknownKey(err) {
		invalidate(c.o.Credentials)
	}
	return token, err
}

func (c *Client) createChannel(ctx context.Context, path string, body []byte) (token string, err error) {
	req, err := c.channelRequest(ctx, http.MethodPost, path, "", body)
	if err != nil {
		return "", err
	}
	res, err := c.o.HTTP.Do(req)
	if err != nil {
		return "", transportError(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", transportError(err)
	}
	var out struct{ TokenValue string }
	if res.StatusCode != http.StatusCreated {
		return "", channelError(res, answer)
	}
	if err := xml.Unmarshal(answer, &out); err != nil || out.TokenValue == "" {
		return "", &Error{Code: SerializationError, Message: "the answer holds no token", Status: res.StatusCode, RequestID: requestID(res),
			cause: err}
	}
	return out.TokenValue, nil
}

// Channel is how a channel is opened: its address, and the headers of the request that is upgraded.
type Channel struct {
	Address string // ws:// or wss://
	Header  http.Header
	HTTP    *http.Client // with the proxies and certificates of the process
}

// Channel signs the request by which the channel at a path is opened.
func (c *Client) Channel(ctx context.Context, path, query string) (Channel, error) {
	req, err := c.channelRequest(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return Channel{}, err
	}
	address := *req.URL
	address.Scheme = map[string]string{"http": "ws", "https": "wss"}[address.Scheme]
	return Channel{Address: address.String(), Header: req.Header, HTTP: c.o.HTTP}, nil
}

// channelRequest is a signed request for a channel. Of an endpoint only scheme and host count (docs/protocol/session.md, "Endpoint host").
func (c *Client) channelRequest(ctx context.Context, method, path, query string, body []byte) (*http.Request, error) {
	base, err := url.Parse(c.o.Endpoint)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("cannot use endpoint %s: it names no host", c.o.Endpoint)
	}
	address := url.URL{Scheme: base.Scheme, Host: base.Host, Path: path, RawQuery: query}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, address.String(), reader)
	if err != nil {
		return nil, fmt.Errorf("cannot use endpoint %s: %w", c.o.Endpoint, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.o.Credentials != nil {
		if err := signV4(ctx, c.o.Credentials, req, host.SHA256Bytes(body), c.o.Region, c.o.Service, c.now()); err != nil {
			return nil, err
		}
	}
	if c.o.UserAgent != "" {
		req.Header.Set("User-Agent", c.o.UserAgent)
	}
	return req, nil
}

// channelError reads an error answer: JSON, or XML whose root element is the code.
func channelError(res *http.Response, body []byte) *Error {
	e := answerError(res, body)
	if e.Code != UnknownError {
		return e
	}
	code, _, _ := strings.Cut(res.Header.Get("x-amzn-ErrorType"), ":")
	var root struct {
		XMLName xml.Name
		Message string
	}
	if xml.Unmarshal(body, &root) == nil && strings.HasSuffix(root.XMLName.Local, "Exception") {
		e.Code, e.Message = root.XMLName.Local, root.Message
	}
	if code != "" {
		e.Code = code
	}
	return e
}
