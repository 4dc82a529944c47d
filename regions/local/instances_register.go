package local

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// tokenLife is the life of a role token (spec identity 17).
const tokenLife = time.Hour

// registerManagedInstance takes a machine in: with an activation and no signature, or (edge) with a role, signed by the
// administrator (spec identity 5.2).
func registerManagedInstance(c *call) (any, error) {
	var in wire.RegisterManagedInstanceInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	edge := in.ActivationId == "" && in.ActivationCode == "" && in.IamRole != ""
	if err := checkRegistration(in, edge); err != nil {
		return nil, err
	}
	if edge && !c.caller.administrator {
		return nil, fault{Code: "AccessDeniedException", Message: "Registration with a role must be signed."}
	}
	n := registration{ID: "mi-" + hex.EncodeToString(randomBytes(9))[:17], Role: in.IamRole, PublicKey: in.PublicKey,
		PublicKeyType: in.PublicKeyType, Fingerprint: in.Fingerprint, Registered: c.region.now(), Edge: edge}
	err := c.region.db.Update(func(tx *bbolt.Tx) error {
		if edge {
			n.Tags = in.Tags
			return save(tx, inNodes, n.ID, n)
		}
		a, err := c.region.spend(tx, in.ActivationId, in.ActivationCode)
		if err != nil {
			return err
		}
		n.ActivationID, n.Role, n.Name, n.Tags = a.ActivationId, a.IamRole, a.DefaultInstanceName, a.Tags
		return save(tx, inNodes, n.ID, n)
	})
	return wire.RegisterManagedInstanceOutput{InstanceId: n.ID}, err
}

func checkRegistration(in wire.RegisterManagedInstanceInput, edge bool) error {
	var k check
	if !edge {
		k.required("activationId", in.ActivationId)
		k.required("activationCode", in.ActivationCode)
		k.length("activationId", in.ActivationId, 36, 36)
		k.length("activationCode", in.ActivationCode, 20, 250)
	}
	k.required("publicKey", in.PublicKey)
	k.tags("tags", in.Tags)
	if err := k.err(); err != nil {
		return err
	}
	return checkPublicKey(in.PublicKey, in.PublicKeyType)
}

func checkPublicKey(text, kind string) error {
	if kind != "Rsa" {
		return refuse("InvalidPublicKey", "The type of the public key must be Rsa, not %q.", kind)
	}
	if _, err := publicKey(text); err != nil {
		return refuse("InvalidPublicKey", "The public key isn't valid: %v.", err)
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

// requestManagedInstanceRoleToken gives a node that proved its key temporary credentials (spec identity 5.3).
func requestManagedInstanceRoleToken(c *call) (any, error) {
	var in wire.RequestManagedInstanceRoleTokenInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	var n registration
	err := c.region.db.View(func(tx *bbolt.Tx) (err error) {
		n, err = present(tx, c.caller.instanceID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if n.Fingerprint != in.Fingerprint {
		return nil, refuse("MachineFingerprintDoesNotMatch", "The fingerprint isn't the one that %s was registered with.", n.ID)
	}
	key, secret, token, expiry, err := c.region.issue(n.ID, tokenLife)
	return wire.RequestManagedInstanceRoleTokenOutput{AccessKeyId: key, SecretAccessKey: secret, SessionToken: token,
		TokenExpirationDate: wire.Epoch{Time: expiry}, UpdateKeyPair: n.RotateKey}, err
}

// updateManagedInstancePublicKey replaces the key that signed the call (spec identity 5.5).
func updateManagedInstancePublicKey(c *call) (any, error) {
	var in wire.UpdateManagedInstancePublicKeyInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := checkPublicKey(in.NewPublicKey, in.NewPublicKeyType); err != nil {
		return nil, err
	}
	return struct{}{}, c.region.db.Update(func(tx *bbolt.Tx) error {
		n, err := present(tx, c.caller.instanceID)
		if err != nil {
			return err
		}
		if n.PublicKey == in.NewPublicKey {
			return refuse("PublicKeyAlreadyRegistered", "%s is already registered with this public key.", n.ID)
		}
		n.PublicKey, n.PublicKeyType, n.RotateKey = in.NewPublicKey, in.NewPublicKeyType, false
		return save(tx, inNodes, n.ID, n)
	})
}
