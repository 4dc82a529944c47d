// Package simulated is a host for tests: it registers, pings, polls and answers as an agent does, without running anything. Many of
// them load a region as a fleet would. It owns nothing on disk.
//
// Facts: docs/protocol/identity.md, "Wire formats and request signing"; docs/protocol/runcommand.md, "ec2messages".
package simulated

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Host is one registered host. Its methods are for one goroutine at a time; HTTP errors of the region are [wire.Error].
type Host struct {
	ID    string
	Facts wire.UpdateInstanceInformationInput // what its pings say beside status and version

	url, region, fingerprint string
	key                      *rsa.PrivateKey
	token                    wire.RequestManagedInstanceRoleTokenOutput
}

// Key makes a key for hosts; one may serve many, making them is slow.
func Key() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// Register registers a host at a region's address with an activation, and takes role credentials.
func Register(ctx context.Context, url, region, activationID, code string, key *rsa.PrivateKey) (*Host, error) {
	h := &Host{url: url, region: region, key: key, fingerprint: rand.Text(), Facts: wire.UpdateInstanceInformationInput{
		AgentName: "amazon-ssm-agent", ComputerName: "host.example", IPAddress: "192.0.2.1", PlatformName: "Debian GNU/Linux",
		PlatformType: "Linux", PlatformVersion: "12"}}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	var out wire.RegisterManagedInstanceOutput
	err = h.send(ctx, wire.TargetSSM+".RegisterManagedInstance", wire.RegisterManagedInstanceInput{ActivationId: activationID,
		ActivationCode: code, Fingerprint: h.fingerprint, PublicKey: base64.StdEncoding.EncodeToString(der), PublicKeyType: "Rsa"}, &out, nil)
	if err != nil {
		return nil, err
	}
	h.ID = out.InstanceId
	return h, h.send(ctx, wire.TargetSSM+".RequestManagedInstanceRoleToken",
		wire.RequestManagedInstanceRoleTokenInput{Fingerprint: h.fingerprint}, &h.token, h.signHybrid)
}

// Ping says that the host lives: status is "Active", or what an updater says.
func (h *Host) Ping(ctx context.Context, status, version string) error {
	in := h.Facts
	in.InstanceId, in.AgentStatus, in.AgentVersion = h.ID, status, version
	return h.send(ctx, wire.TargetSSM+".UpdateInstanceInformation", in, nil, h.signFor("ssm"))
}

// Poll is one GetMessages.
func (h *Host) Poll(ctx context.Context) ([]wire.Message, error) {
	var out wire.GetMessagesOutput
	err := h.send(ctx, wire.TargetEC2Messages+".GetMessages", wire.GetMessagesInput{Destination: h.ID, MessagesRequestId: rand.Text(),
		VisibilityTimeoutInSeconds: 10}, &out, h.signFor("ec2messages"))
	return out.Messages, err
}

// Acknowledge takes a message on.
func (h *Host) Acknowledge(ctx context.Context, m wire.Message) error {
	return h.send(ctx, wire.TargetEC2Messages+".AcknowledgeMessage", wire.AcknowledgeMessageInput{MessageId: m.MessageId}, nil,
		h.signFor("ec2messages"))
}

// Reply answers a message: the status of the document, and of its step with that id.
func (h *Host) Reply(ctx context.Context, m wire.Message, document, step string, status wire.StepStatus) error {
	payload, err := json.Marshal(wire.Reply{DocumentStatus: document, RuntimeStatus: map[string]wire.StepStatus{step: status}})
	if err != nil {
		return err
	}
	return h.send(ctx, wire.TargetEC2Messages+".SendReply", wire.SendReplyInput{MessageId: m.MessageId, Payload: string(payload),
		ReplyId: rand.Text()}, nil, h.signFor("ec2messages"))
}

// send makes one call of the JSON 1.1 protocol.
func (h *Host) send(ctx context.Context, target string, in, out any, sign func(req *http.Request, body []byte) error) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", wire.ContentType)
	req.Header.Set("X-Amz-Target", target)
	if sign != nil {
		if err := sign(req, body); err != nil {
			return err
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		if e, ok := wire.ParseError(answer); ok {
			return e
		}
		return fmt.Errorf("%s: %s", target, res.Status)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// signHybrid signs with the host's own key.
func (h *Host) signHybrid(req *http.Request, body []byte) error {
	now := time.Now()
	text, scope := h.toSign(req, body, now, "ssm", wire.HybridSignedHeaders)
	signature, err := wire.SignPSS(h.key, text)
	req.Header.Set("Authorization", wire.Authorization{KeyID: h.ID, Scope: scope, SignedHeaders: wire.HybridSignedHeaders,
		Signature: signature}.String())
	return err
}

// signFor signs with the role credentials for a service.
func (h *Host) signFor(service string) func(*http.Request, []byte) error {
	return func(req *http.Request, body []byte) error {
		now := time.Now()
		req.Header.Set("X-Amz-Security-Token", h.token.SessionToken)
		headers := []string{"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
		text, scope := h.toSign(req, body, now, service, headers)
		key := []byte("AWS4" + h.token.SecretAccessKey)
		for _, part := range []string{scope.Date, scope.Region, scope.Service, "aws4_request", text} {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(part))
			key = mac.Sum(nil)
		}
		req.Header.Set("Authorization", wire.Authorization{KeyID: h.token.AccessKeyId, Scope: scope, SignedHeaders: headers,
			Signature: hex.EncodeToString(key)}.String())
		return nil
	}
}

// toSign dates a request and makes the text that is signed.
func (h *Host) toSign(req *http.Request, body []byte, now time.Time, service string, headers []string) (string, wire.Scope) {
	req.Header.Set("X-Amz-Date", now.UTC().Format(wire.AmzDate))
	sum := sha256.Sum256(body)
	scope := wire.ScopeAt(now, h.region, service)
	r := wire.CanonicalRequest{Method: req.Method, Path: "/", BodyHash: hex.EncodeToString(sum[:]), Header: func(name string) string {
		if name == "host" {
			return req.URL.Host
		}
		return req.Header.Get(name)
	}}
	return wire.StringToSign(req.Header.Get("X-Amz-Date"), scope, r.Canonical(headers)), scope
}
