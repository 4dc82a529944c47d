package local_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// people is the SDK's own client, as the region's administrator.
func people(r *local.Region) *ssm.Client {
	admin := r.Admin()
	return ssm.New(ssm.Options{Region: r.Name(), BaseEndpoint: aws.String(r.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(admin.AccessKeyID, admin.SecretAccessKey, "")})
}

// wantCode checks that err came from the region under that name.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var api smithy.APIError
	var own wire.Error
	switch {
	case errors.As(err, &api) && api.ErrorCode() == code:
	case errors.As(err, &own) && own.Code == code:
	default:
		t.Errorf("got %v, want %s", err, code)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// nodeKeys are two key pairs for all fake nodes; making them is slow.
var nodeKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		keys[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return keys
})

// agentNode is a node as an agent plays it: it registers, asks for role tokens with its key, and signs with what it got.
type agentNode struct {
	t           testing.TB
	region      *local.Region
	key         *rsa.PrivateKey
	fingerprint string
	id          string
	token       wire.RequestManagedInstanceRoleTokenOutput
}

// newNode registers a node, gets its token and pings once.
func newNode(t testing.TB, r *local.Region) *agentNode {
	t.Helper()
	id, code, err := r.CreateActivation(1)
	must(t, err)
	n := &agentNode{t: t, region: r, key: nodeKeys()[0], fingerprint: uuid.NewString()}
	must(t, n.register(id, code))
	must(t, n.refresh())
	must(t, n.ping("Active", "9.1.0.0"))
	return n
}

func publicText(key *rsa.PrivateKey) string {
	der, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	return base64.StdEncoding.EncodeToString(der)
}

func (n *agentNode) register(id, code string) error {
	var out wire.RegisterManagedInstanceOutput
	err := n.send(wire.TargetSSM+".RegisterManagedInstance", wire.RegisterManagedInstanceInput{ActivationId: id, ActivationCode: code,
		Fingerprint: n.fingerprint, PublicKey: publicText(n.key), PublicKeyType: "Rsa"}, &out, nil)
	n.id = out.InstanceId
	return err
}

func (n *agentNode) refresh() error {
	return n.signed("RequestManagedInstanceRoleToken", wire.RequestManagedInstanceRoleTokenInput{Fingerprint: n.fingerprint}, &n.token)
}

func (n *agentNode) ping(status, version string) error {
	return n.ssm("UpdateInstanceInformation", wire.UpdateInstanceInformationInput{AgentName: "amazon-ssm-agent", AgentStatus: status,
		AgentVersion: version, InstanceId: n.id, ComputerName: "host.example", IPAddress: "10.0.0.1", PlatformName: "Debian",
		PlatformType: "Linux", PlatformVersion: "12"}, nil)
}

// signed calls with the node's own key (docs/protocol/identity.md, "RequestManagedInstanceRoleToken,
// UpdateManagedInstancePublicKey — hybrid signature").
func (n *agentNode) signed(operation string, in, out any) error {
	return n.send(wire.TargetSSM+"."+operation, in, out, func(req *http.Request, body []byte) error {
		now := time.Now()
		req.Header.Set("X-Amz-Date", now.UTC().Format(wire.AmzDate))
		header := func(name string) string {
			if name == "host" {
				return req.URL.Host
			}
			return req.Header.Get(name)
		}
		sum := sha256.Sum256(body)
		r := wire.CanonicalRequest{Method: "POST", Path: "/", Header: header, BodyHash: hex.EncodeToString(sum[:])}
		scope := wire.ScopeAt(now, n.region.Name(), "ssm")
		text := wire.StringToSign(req.Header.Get("X-Amz-Date"), scope, r.Canonical(wire.HybridSignedHeaders))
		signature, err := wire.SignPSS(n.key, text)
		req.Header.Set("Authorization", wire.Authorization{KeyID: n.id, Scope: scope, SignedHeaders: wire.HybridSignedHeaders,
			Signature: signature}.String())
		return err
	})
}

func (n *agentNode) ssm(operation string, in, out any) error {
	return n.send(wire.TargetSSM+"."+operation, in, out, n.sigV4("ssm"))
}

func (n *agentNode) messages(operation string, in, out any) error {
	return n.send(wire.TargetEC2Messages+"."+operation, in, out, n.sigV4("ec2messages"))
}

func (n *agentNode) sigV4(service string) func(*http.Request, []byte) error {
	return func(req *http.Request, body []byte) error {
		sum := sha256.Sum256(body)
		creds := aws.Credentials{AccessKeyID: n.token.AccessKeyId, SecretAccessKey: n.token.SecretAccessKey, SessionToken: n.token.SessionToken}
		return v4.NewSigner().SignHTTP(context.Background(), creds, req, hex.EncodeToString(sum[:]), service, n.region.Name(), time.Now())
	}
}

func (n *agentNode) send(target string, in, out any, sign func(*http.Request, []byte) error) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest("POST", n.region.URL()+"/", bytes.NewReader(body))
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
	if res.StatusCode != 200 {
		if e, ok := wire.ParseError(answer); ok {
			return e
		}
		return errors.New(res.Status)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// poll is one GetMessages.
func (n *agentNode) poll() []wire.Message {
	n.t.Helper()
	in := wire.GetMessagesInput{Destination: n.id, MessagesRequestId: uuid.NewString(), VisibilityTimeoutInSeconds: 10}
	var out wire.GetMessagesOutput
	must(n.t, n.messages("GetMessages", in, &out))
	if out.Destination != n.id || out.MessagesRequestId != in.MessagesRequestId || out.Messages == nil {
		n.t.Errorf("answer to a poll: %+v", out)
	}
	return out.Messages
}

func (n *agentNode) ack(m wire.Message) {
	n.t.Helper()
	must(n.t, n.messages("AcknowledgeMessage", wire.AcknowledgeMessageInput{MessageId: m.MessageId}, nil))
}

// reply sends a document status, with the results of steps.
func (n *agentNode) reply(messageID, status string, steps map[string]wire.StepStatus) wire.SendReplyOutput {
	n.t.Helper()
	out, err := n.replyAs(uuid.NewString(), messageID, status, steps)
	must(n.t, err)
	return out
}

func (n *agentNode) replyAs(replyID, messageID, status string, steps map[string]wire.StepStatus) (out wire.SendReplyOutput, err error) {
	payload, err := json.Marshal(wire.Reply{DocumentStatus: status, RuntimeStatus: steps})
	if err == nil {
		err = n.messages("SendReply", wire.SendReplyInput{MessageId: messageID, ReplyId: replyID, Payload: string(payload)}, &out)
	}
	return out, err
}

// done is the result of a step.
func done(status string, code int, stdout, stderr string) wire.StepStatus {
	out := stdout
	if stderr != "" {
		out += "\n----------ERROR-------\n" + stderr
	}
	return wire.StepStatus{Status: status, Code: code, Name: "aws:runShellScript", Output: out, StandardOutput: stdout, StandardError: stderr,
		StartDateTime: "2026-01-02T03:04:05.000Z", EndDateTime: "2026-01-02T03:04:05.091Z"}
}

// obey serves every message until the region closes: it acknowledges and answers with what the commands would echo.
func (n *agentNode) obey(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		in := wire.GetMessagesInput{Destination: n.id, MessagesRequestId: uuid.NewString(), VisibilityTimeoutInSeconds: 10}
		var out wire.GetMessagesOutput
		if n.messages("GetMessages", in, &out) != nil {
			return
		}
		for _, m := range out.Messages {
			if n.answer(m) != nil {
				return
			}
		}
	}
}

func (n *agentNode) answer(m wire.Message) error {
	if _, err := n.replyAs(uuid.NewString(), m.MessageId, wire.InProgress, nil); err != nil {
		return err
	}
	if err := n.messages("AcknowledgeMessage", wire.AcknowledgeMessageInput{MessageId: m.MessageId}, nil); err != nil {
		return err
	}
	var cmd wire.SendCommand
	if !strings.HasPrefix(m.Topic, wire.TopicSendCommand) {
		var cancel wire.CancelCommand
		if err := json.Unmarshal([]byte(m.Payload), &cancel); err != nil {
			return err
		}
		_, err := n.replyAs(uuid.NewString(), cancel.CancelMessageId, wire.Cancelled, nil)
		return err
	}
	if err := json.Unmarshal([]byte(m.Payload), &cmd); err != nil {
		return err
	}
	lines, _ := cmd.Parameters["commands"].([]any)
	var stdout string
	for _, l := range lines {
		text, _ := l.(string)
		if text == "wait" { // until it is cancelled
			return nil
		}
		stdout += strings.TrimPrefix(text, "echo ") + "\n"
	}
	var doc struct {
		RuntimeConfig map[string]any
		MainSteps     []struct{ Name string }
	}
	if err := json.Unmarshal(cmd.DocumentContent, &doc); err != nil {
		return err
	}
	steps := map[string]wire.StepStatus{}
	for name := range doc.RuntimeConfig {
		steps[name] = done(wire.Success, 0, stdout, "")
	}
	for _, s := range doc.MainSteps {
		steps[s.Name] = done(wire.Success, 0, stdout, "")
	}
	_, err := n.replyAs(uuid.NewString(), m.MessageId, wire.Success, steps)
	return err
}
