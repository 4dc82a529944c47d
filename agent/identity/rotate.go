package identity

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// pending is a key on its way to the service. It is on disk before the service learns it and stays there until it is clear which
// key the service holds, so that no crash and no lost answer can lock the node out (the original keeps it in memory, and takes a
// refusal for success, docs/protocol/identity.md, "Key rotation"). The same key is offered again until then.
type pending struct {
	InstanceID            string `json:"instanceID"`
	PrivateKey            string `json:"privateKey"`
	PrivateKeyType        string `json:"privateKeyType"`
	PrivateKeyCreatedDate string `json:"privateKeyCreatedDate"`
}

// readPending is the key on its way for this registration, if there is one.
func (k *keeper) readPending() (pending, *rsa.PrivateKey) {
	var p pending
	if k.vault.read(pendingKey, &p) != nil || p.InstanceID != k.record.InstanceID || p.PrivateKey == k.record.PrivateKey {
		return pending{}, nil
	}
	key, err := decodePrivate(p.PrivateKey)
	if err != nil {
		return pending{}, nil
	}
	return p, key
}

// makePending makes a key and puts it on disk.
func (k *keeper) makePending() (pending, *rsa.PrivateKey, error) {
	key, err := newKey()
	if err != nil {
		return pending{}, nil, err
	}
	p := pending{InstanceID: k.record.InstanceID, PrivateKey: encodePrivate(key), PrivateKeyType: keyType,
		PrivateKeyCreatedDate: k.o.Now().Format(createdLayout)}
	return p, key, k.vault.write(pendingKey, p)
}

// rotationDue: the service asks for it, or the key is as old as the configuration allows.
func (k *keeper) rotationDue(asked bool) bool {
	if asked {
		return true
	}
	if k.rotateDays <= 0 {
		return false
	}
	age, err := k.record.keyAge(k.o.Now())
	if err != nil {
		k.o.Log.Warn("no key rotation", "error", err)
		return false
	}
	return age >= k.rotateDays
}

// errOldKeyWorks is the original's word for a rotation that did not happen and did no harm.
var errOldKeyWorks = errors.New("Failed to update remote public key, old key still works") //nolint:staticcheck // the original's words

// rotate gives the service a new key, signed with the one it holds. After an error the one it holds is asked for: whichever
// gets a token is kept.
func (k *keeper) rotate(ctx context.Context, old *rsa.PrivateKey, fingerprint string) error {
	p, key := k.readPending()
	if key == nil {
		var err error
		if p, key, err = k.makePending(); err != nil {
			return err
		}
	}
	public, err := encodePublic(key)
	if err != nil {
		return err
	}
	err = k.ssm(old).Call(ctx, "UpdateManagedInstancePublicKey",
		wire.UpdateManagedInstancePublicKeyInput{NewPublicKey: public, NewPublicKeyType: keyType}, nil)
	if err == nil {
		return k.promote(p)
	}
	if _, oldErr := k.token(ctx, old, fingerprint); oldErr == nil {
		if refused(err) {
			_ = k.vault.remove(pendingKey) // else it is offered again
		}
		return fmt.Errorf("%w: %w", errOldKeyWorks, err)
	}
	if _, newErr := k.token(ctx, key, fingerprint); newErr == nil {
		return k.promote(p)
	}
	return fmt.Errorf("cannot tell which key the service holds, both are kept: %w", err)
}

// promote makes a pending key the node's key. In memory it counts at once: the service knows no other.
func (k *keeper) promote(p pending) error {
	k.record.PrivateKey, k.record.PrivateKeyType, k.record.PrivateKeyCreatedDate = p.PrivateKey, p.PrivateKeyType, p.PrivateKeyCreatedDate
	k.private, k.unsaved = nil, true
	if !k.o.Keeper {
		return nil
	}
	return k.save()
}

// save writes the key, unless the machine has been registered anew meanwhile: then the vault is another node's.
func (k *keeper) save() error {
	disk, err := readRecord(k.vault)
	if err != nil {
		return err
	}
	if disk.InstanceID == k.record.InstanceID && disk.Region == k.record.Region {
		if err := k.vault.update(registrationKey, k.record); err != nil {
			return fmt.Errorf("cannot save the new key, it is kept beside the old one: %w", err)
		}
	}
	k.unsaved = false
	return k.vault.remove(pendingKey)
}
