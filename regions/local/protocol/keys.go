package protocol

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// Tables of records.
const (
	keysTable = "credentials" // access key id → credential
	// RegionTable holds what concerns the region as a whole: "name", "administrator" → access key id.
	RegionTable = "region"
)

// credential is the record of one access key.
type credential struct {
	AccessKeyID string
	Secret      string
	Token       string    `json:",omitempty"` // temporary ones have a session token
	Expires     time.Time `json:",omitzero"`
	InstanceID  string    `json:",omitempty"` // the node it was issued to; empty: the administrator
}

// Credentials are a key pair as a client needs them.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Keys are the access keys the region knows.
type Keys struct {
	records *records.Store
	now     func() time.Time
	life    func() time.Duration
	admin   credential
}

// keptExpired is how long an expired key is still told ExpiredToken, before it is forgotten at the next start.
const keptExpired = 24 * time.Hour

// OpenKeys finds or makes the administrator's key and forgets what expired long ago. life is the life of all keys issued, over what
// the operation says; 0 leaves it to the operation.
func OpenKeys(store *records.Store, now func() time.Time, life func() time.Duration) (*Keys, error) {
	k := &Keys{records: store, now: now, life: life}
	if err := store.Prepare(keysTable, RegionTable); err != nil {
		return nil, err
	}
	return k, store.Update(func(tx *records.Tx) error {
		if err := k.dropExpired(tx); err != nil {
			return err
		}
		if id := records.Raw(tx, RegionTable, "administrator"); id != nil {
			if raw := records.Raw(tx, keysTable, string(id)); raw != nil {
				return json.Unmarshal(raw, &k.admin)
			}
		}
		k.admin = credential{AccessKeyID: accessKeyID("AKIA"), Secret: secretText(30)}
		if err := records.Save(tx, keysTable, k.admin.AccessKeyID, k.admin); err != nil {
			return err
		}
		return records.SaveRaw(tx, RegionTable, "administrator", k.admin.AccessKeyID)
	})
}

// Admin are the credentials of the region's administrator, the same for the life of the data folder.
func (k *Keys) Admin() Credentials {
	return Credentials{AccessKeyID: k.admin.AccessKeyID, SecretAccessKey: k.admin.Secret}
}

func (k *Keys) dropExpired(tx *records.Tx) error {
	cut := k.now().Add(-keptExpired)
	var old []string
	err := records.Each(tx, keysTable, "", func(id string, c credential) bool {
		if !c.Expires.IsZero() && c.Expires.Before(cut) {
			old = append(old, id)
		}
		return false
	})
	for _, id := range old {
		if err == nil {
			err = records.Remove(tx, keysTable, id)
		}
	}
	return err
}

// Issue makes temporary credentials for a node.
func (k *Keys) Issue(instanceID string, life time.Duration) (c Credentials, expiry time.Time, err error) {
	if forced := k.life(); forced > 0 {
		life = forced
	}
	kept := credential{AccessKeyID: accessKeyID("ASIA"), Secret: secretText(30), Token: secretText(192), Expires: k.now().Add(life),
		InstanceID: instanceID}
	err = k.records.Update(func(tx *records.Tx) error { return records.Save(tx, keysTable, kept.AccessKeyID, kept) })
	return Credentials{kept.AccessKeyID, kept.Secret, kept.Token}, kept.Expires, err
}

// of looks an access key id up; expired ones are found too.
func (k *Keys) of(accessKey string) (c credential, ok bool) {
	_ = k.records.View(func(tx *records.Tx) (err error) {
		if c, ok, err = records.Fetch[credential](tx, keysTable, accessKey); err != nil {
			ok = false
		}
		return nil
	})
	return c, ok
}

// CredentialsText is a shared-credentials file whose profile default has these credentials.
func (c Credentials) CredentialsText() string {
	return fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", c.AccessKeyID, c.SecretAccessKey)
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
