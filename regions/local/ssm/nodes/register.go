package nodes

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// tokenLife is the life of a role token (docs/protocol/identity.md, "Service-side facts for a local region").
const tokenLife = time.Hour

// registerManagedInstance takes a machine in: with an activation and no signature, or (edge) with a role, signed by the
// administrator (docs/protocol/identity.md, "RegisterManagedInstance").
func (r *Registry) registerManagedInstance(c *protocol.Call) (any, error) {
	var in wire.RegisterManagedInstanceInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	edge := in.ActivationId == "" && in.ActivationCode == "" && in.IamRole != ""
	if err := checkRegistration(in, edge); err != nil {
		return nil, err
	}
	if edge && !c.Caller.Administrator {
		return nil, protocol.Fault{Code: "AccessDeniedException", Message: "Registration with a role must be signed."}
	}
	n := Node{ID: newID(), Role: in.IamRole, PublicKey: in.PublicKey,
		PublicKeyType: in.PublicKeyType, Fingerprint: in.Fingerprint, Registered: r.now(), Edge: edge}
	err := r.records.Update(func(tx *records.Tx) error {
		if edge {
			n.Tags = in.Tags
			return records.Save(tx, nodesTable, n.ID, n)
		}
		a, err := r.spend(tx, in.ActivationId, in.ActivationCode)
		if err != nil {
			return err
		}
		n.ActivationID, n.Role, n.Name, n.Tags = a.ActivationId, a.IamRole, a.DefaultInstanceName, a.Tags
		return records.Save(tx, nodesTable, n.ID, n)
	})
	return wire.RegisterManagedInstanceOutput{InstanceId: n.ID}, err
}

// newID is an id for a new node: "mi-" and 17 hex digits.
func newID() string {
	var raw [9]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	return "mi-" + hex.EncodeToString(raw[:])[:17]
}

func checkRegistration(in wire.RegisterManagedInstanceInput, edge bool) error {
	var k protocol.Check
	if !edge {
		k.Required("activationId", in.ActivationId)
		k.Required("activationCode", in.ActivationCode)
		k.Length("activationId", in.ActivationId, 36, 36)
		k.Length("activationCode", in.ActivationCode, 20, 250)
	}
	k.Required("publicKey", in.PublicKey)
	k.Tags("tags", in.Tags)
	if err := k.Err(); err != nil {
		return err
	}
	return checkPublicKey(in.PublicKey, in.PublicKeyType)
}

func checkPublicKey(text, kind string) error {
	if kind != "Rsa" {
		return protocol.Refuse("InvalidPublicKey", "The type of the public key must be Rsa, not %q.", kind)
	}
	if _, err := publicKey(text); err != nil {
		return protocol.Refuse("InvalidPublicKey", "The public key isn't valid: %v.", err)
	}
	return nil
}

// publicKey reads standard base64 of SubjectPublicKeyInfo: RSA of 2048 bits or more.
func publicKey(text string) (*rsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("not an RSA key")
	}
	if public.N.BitLen() < 2048 {
		return nil, errors.New("shorter than 2048 bits")
	}
	return public, nil
}

// requestManagedInstanceRoleToken gives a node that proved its key temporary credentials (docs/protocol/identity.md,
// "RequestManagedInstanceRoleToken, UpdateManagedInstancePublicKey — hybrid signature").
func (r *Registry) requestManagedInstanceRoleToken(c *protocol.Call) (any, error) {
	var in wire.RequestManagedInstanceRoleTokenInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var n Node
	err := r.records.View(func(tx *records.Tx) (err error) {
		n, err = Present(tx, c.Caller.InstanceID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if n.Fingerprint != in.Fingerprint {
		return nil, protocol.Refuse("MachineFingerprintDoesNotMatch", "The fingerprint isn't the one that %s was registered with.", n.ID)
	}
	issued, expiry, err := r.keys.Issue(n.ID, tokenLife)
	return wire.RequestManagedInstanceRoleTokenOutput{AccessKeyId: issued.AccessKeyID,
		SecretAccessKey: issued.SecretAccessKey, SessionToken: issued.SessionToken,
		TokenExpirationDate: wire.Epoch{Time: expiry}, UpdateKeyPair: n.RotateKey}, err
}

// updateManagedInstancePublicKey replaces the key that signed the call (docs/protocol/identity.md, "Key rotation").
func (r *Registry) updateManagedInstancePublicKey(c *protocol.Call) (any, error) {
	var in wire.UpdateManagedInstancePublicKeyInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := checkPublicKey(in.NewPublicKey, in.NewPublicKeyType); err != nil {
		return nil, err
	}
	return struct{}{}, r.records.Update(func(tx *records.Tx) error {
		n, err := Present(tx, c.Caller.InstanceID)
		if err != nil {
			return err
		}
		if n.PublicKey == in.NewPublicKey {
			return protocol.Refuse("PublicKeyAlreadyRegistered", "%s is already registered with this public key.", n.ID)
		}
		n.PublicKey, n.PublicKeyType, n.RotateKey = in.NewPublicKey, in.NewPublicKeyType, false
		return records.Save(tx, nodesTable, n.ID, n)
	})
}
