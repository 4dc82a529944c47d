package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// ErrNoContainer says that the environment names no credentials to register with a role.
var ErrNoContainer = fault.New(fault.Usage, "registration with a role needs the credentials of a container: "+
	"AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set", "run it as a Greengrass component")

// relativeHost answers for relative addresses; metadataHosts may answer without TLS, as this machine itself may.
const relativeHost = "http://169.254.170.2"

var metadataHosts = []string{"169.254.170.2", "169.254.170.23", "fd00:ec2::23"}

// Container are the credentials that the variables of a container name: those a Greengrass component gets from the token exchange
// service (docs/protocol/identity.md, "Edge (Greengrass) registration"). They are fetched when asked for, past any proxy.
func Container(getenv func(string) string) (aws.CredentialsProvider, error) {
	address := getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if address == "" {
		path := getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
		if path == "" {
			return nil, ErrNoContainer
		}
		address = relativeHost + "/" + strings.TrimPrefix(path, "/")
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("AWS_CONTAINER_CREDENTIALS_FULL_URI: %w", err)
	}
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		c, err := fromContainer(ctx, u, getenv)
		if err != nil {
			err = fmt.Errorf("credentials of the container at %s: %w", u.Redacted(), err)
		}
		return c, err
	}), nil
}

func fromContainer(ctx context.Context, u *url.URL, getenv func(string) string) (c aws.Credentials, err error) {
	if err := checkNear(ctx, u); err != nil {
		return c, err
	}
	token := getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	if file := getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return c, err
		}
		token = strings.TrimSpace(string(b))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return c, err
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the token is for this address alone
	res, err := client.Do(req)
	if err != nil {
		return c, err
	}
	defer res.Body.Close()
	var out struct {
		AccessKeyId, SecretAccessKey, Token string
		Expiration                          time.Time
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	switch {
	case err != nil:
		return c, err
	case res.StatusCode != http.StatusOK:
		return c, fmt.Errorf("status %s", res.Status)
	case json.Unmarshal(body, &out) != nil || out.AccessKeyId == "" || out.SecretAccessKey == "":
		return c, errors.New("the answer holds no credentials")
	}
	return aws.Credentials{AccessKeyID: out.AccessKeyId, SecretAccessKey: out.SecretAccessKey, SessionToken: out.Token, Source: "container",
		CanExpire: !out.Expiration.IsZero(), Expires: out.Expiration}, nil
}

// checkNear refuses to send a token to another machine in plain text.
func checkNear(ctx context.Context, u *url.URL) error {
	if u.Scheme == "https" && u.Host != "" {
		return nil
	}
	if u.Scheme != "http" || u.Host == "" {
		return errors.New("it is neither an http nor an https address")
	}
	for _, host := range metadataHosts {
		if u.Hostname() == host {
			return nil
		}
	}
	found, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
	if err != nil {
		return err
	}
	for _, address := range found {
		if ip := net.ParseIP(address); ip == nil || !ip.IsLoopback() {
			return fmt.Errorf("%s is not on this machine, so it must be https", u.Hostname())
		}
	}
	return nil
}

// ErrTags says that the tags of a registration are not what [ParseTags] reads.
var ErrTags = fault.New(fault.Usage, `tags are written as [{"Key":"k","Value":"v"}]`, "")

// ParseTags reads the tags of a registration: [{"Key": "k", "Value": "v"}]. Those without key or value are dropped; nothing, and
// the empty object that a component's configuration may hold, are no tags.
func ParseTags(text string) (tags []wire.Tag, err error) {
	if text = strings.TrimSpace(text); text == "" || text == "{}" {
		return nil, nil
	}
	var all []wire.Tag
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTags, err)
	}
	for _, tag := range all {
		if tag.Key != "" && tag.Value != "" {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}
