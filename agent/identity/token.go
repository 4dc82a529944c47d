package identity

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// callLimit is the time limit of one registration or token request (docs/protocol/identity.md, "HTTP behaviour").
const callLimit = 60 * time.Second

// ssm is a client that signs with a key of this node. Agent.Region does not count here (docs/protocol/identity.md, "Edge
// (Greengrass) registration").
func (k *keeper) ssm(key *rsa.PrivateKey) *cloud.Client {
	return cloud.New(cloud.Options{
		HTTP: k.o.HTTP, Region: k.record.Region, Endpoint: k.endpoint, Service: "ssm", Target: wire.TargetSSM, UserAgent: k.userAgent,
		Node: &cloud.NodeKey{InstanceID: k.record.InstanceID, Private: key},
		Log:  k.o.Log, Timeout: callLimit, Now: k.o.Now, Pause: k.o.Pause,
	})
}

// token asks for credentials with a key.
func (k *keeper) token(ctx context.Context, key *rsa.PrivateKey, fingerprint string) (wire.RequestManagedInstanceRoleTokenOutput, error) {
	var out wire.RequestManagedInstanceRoleTokenOutput
	err := k.ssm(key).Call(ctx, "RequestManagedInstanceRoleToken", wire.RequestManagedInstanceRoleTokenInput{Fingerprint: fingerprint}, &out)
	if err == nil && (out.AccessKeyId == "" || out.SecretAccessKey == "" || out.SessionToken == "") {
		err = &cloud.Error{Code: cloud.SerializationError, Message: "the role token lacks credentials", Status: http.StatusOK}
	}
	return out, err
}

// refused tells a definite no of the service from failures that leave open whether it acted.
func refused(err error) bool {
	var e *cloud.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Status/100 == 4 && e.Status != http.StatusTooManyRequests && !cloud.Throttled(err)
}
