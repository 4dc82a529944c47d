package local

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// credential is one key pair the region knows.
type credential struct {
	AccessKeyID string
	Secret      string
	Token       string    `json:",omitempty"` // temporary ones have a session token
	Expires     time.Time `json:",omitzero"`
	InstanceID  string    `json:",omitempty"` // the node they were issued to; empty: the administrator
}

// Buckets of records.
const (
	credentialsBucket = "credentials" // access key id → credential
	regionBucket      = "region"      // "name"; "administrator" → access key id
)

// Credentials are a key pair as a client needs them.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Admin are the credentials of the region's administrator, the same for the life of the data folder.
func (r *Region) Admin() Credentials {
	return Credentials{AccessKeyID: r.admin.AccessKeyID, SecretAccessKey: r.admin.Secret}
}

// CredentialsFile is a shared-credentials file whose profile default is the administrator.
func (r *Region) CredentialsFile() string { return filepath.Join(r.data, "credentials") }

// prepareCredentials finds or makes the administrator, refuses a data folder of another region, forgets what expired.
func (r *Region) prepareCredentials() error {
	err := r.db.Update(func(tx *bbolt.Tx) error {
		creds, err := tx.CreateBucketIfNotExists([]byte(credentialsBucket))
		if err != nil {
			return err
		}
		own, err := tx.CreateBucketIfNotExists([]byte(regionBucket))
		if err != nil {
			return err
		}
		if name := own.Get([]byte("name")); name != nil && string(name) != r.name {
			return fmt.Errorf("%s: %w: %s, not %s", r.data, ErrOtherRegion, name, r.name)
		}
		if err := own.Put([]byte("name"), []byte(r.name)); err != nil {
			return err
		}
		if err := r.dropExpired(creds); err != nil {
			return err
		}
		if id := own.Get([]byte("administrator")); id != nil {
			if raw := creds.Get(id); raw != nil {
				return json.Unmarshal(raw, &r.admin)
			}
		}
		r.admin = credential{AccessKeyID: accessKeyID("AKIA"), Secret: secretText(30)}
		if err := putCredential(creds, r.admin); err != nil {
			return err
		}
		return own.Put([]byte("administrator"), []byte(r.admin.AccessKeyID))
	})
	if err != nil {
		return fmt.Errorf("credentials of the region: %w", err)
	}
	return r.writeWhole(r.CredentialsFile(), []byte("[default]\naws_access_key_id = "+r.admin.AccessKeyID+
		"\naws_secret_access_key = "+r.admin.Secret+"\n"), 0o600)
}

// dropExpired forgets temporary credentials that expired a day ago; until then they are told ExpiredToken.
func (r *Region) dropExpired(creds *bbolt.Bucket) error {
	cut := r.now().Add(-24 * time.Hour)
	var old [][]byte
	err := creds.ForEach(func(k, v []byte) error {
		var c credential
		if err := json.Unmarshal(v, &c); err != nil {
			return err
		}
		if !c.Expires.IsZero() && c.Expires.Before(cut) {
			old = append(old, append([]byte(nil), k...))
		}
		return nil
	})
	for _, k := range old {
		if err == nil {
			err = creds.Delete(k)
		}
	}
	return err
}

// issue makes temporary credentials for a node. The knob [Region.TokenLife] wins over life.
func (r *Region) issue(instanceID string, life time.Duration) (accessKey, secret, token string, expiry time.Time, err error) {
	if forced := r.knobs.tokenLife(); forced > 0 {
		life = forced
	}
	c := credential{AccessKeyID: accessKeyID("ASIA"), Secret: secretText(30), Token: secretText(192),
		Expires: r.now().Add(life), InstanceID: instanceID}
	err = r.db.Update(func(tx *bbolt.Tx) error { return putCredential(tx.Bucket([]byte(credentialsBucket)), c) })
	return c.AccessKeyID, c.Secret, c.Token, c.Expires, err
}

// credentialsOf looks an access key id up; expired ones are found too.
func (r *Region) credentialsOf(accessKey string) (c credential, ok bool) {
	_ = r.db.View(func(tx *bbolt.Tx) error {
		raw := tx.Bucket([]byte(credentialsBucket)).Get([]byte(accessKey))
		ok = raw != nil && json.Unmarshal(raw, &c) == nil
		return nil
	})
	return c, ok
}

func putCredential(b *bbolt.Bucket, c credential) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return b.Put([]byte(c.AccessKeyID), raw)
}

// accessKeyID is the prefix and 16 characters of A-Z2-7.
func accessKeyID(prefix string) string {
	return prefix + base32.StdEncoding.EncodeToString(randomBytes(10))
}

// secretText is n random bytes as base64; n is a multiple of three.
func secretText(n int) string { return base64.StdEncoding.EncodeToString(randomBytes(n)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// writeWhole makes a file whole or not at all: temporary file, fsync, rename.
func (r *Region) writeWhole(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil && !r.noSync {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(f.Name(), mode)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
