package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// record is the registration in the vault; all eight keys are always there (docs/protocol/identity.md, "On-disk format").
type record struct {
	InstanceID            string `json:"instanceID"`
	Region                string `json:"region"`
	InstanceType          string `json:"instanceType"`
	AvailabilityZone      string `json:"availabilityZone"`
	PrivateKey            string `json:"privateKey"`
	PublicKey             string `json:"publicKey"` // empty for hybrid nodes
	PrivateKeyType        string `json:"privateKeyType"`
	PrivateKeyCreatedDate string `json:"privateKeyCreatedDate"`
}

// complete tells whether there is a node to be: key, region and id.
func (r record) complete() bool { return r.InstanceID != "" && r.Region != "" && r.PrivateKey != "" }

// createdLayout is that of privateKeyCreatedDate: the original prints a time of its language as text.
const createdLayout = "2006-01-02 15:04:05.999999999 -0700 MST"

// readLength is how much of the layout is read: not the zone's name. A zone without one has its offset there, which is taken for
// a name only where it is of whole hours.
const readLength = len("2006-01-02 15:04:05.999999999 -0700")

func firstFields(text string, n int) string {
	fields := strings.Fields(text)
	return strings.Join(fields[:min(n, len(fields))], " ")
}

// neverCreated is the age of a key without a date, in days.
const neverCreated = 3650

// keyAge is the age of the key in whole days.
func (r record) keyAge(now time.Time) (int, error) {
	if r.PrivateKeyCreatedDate == "" {
		return neverCreated, nil
	}
	created, err := time.Parse(createdLayout[:readLength], firstFields(r.PrivateKeyCreatedDate, 3))
	if err != nil {
		return 0, fmt.Errorf("cannot read the date of the key: %w", err)
	}
	return int(now.Sub(created).Hours() / 24), nil
}

// readRecord is the registration; an empty record when there is none.
func readRecord(v vault) (record, error) {
	var r record
	err := v.read(registrationKey, &r)
	if errors.Is(err, errNoEntry) {
		return record{}, nil
	}
	return r, err
}

// registered is the small file beside the vault.
type registered struct {
	ManagedInstanceID string
	Region            string
}

// writeRegistered writes {"ManagedInstanceID":…,"Region":…} with mode 0600.
func writeRegistered(path string, r record) error {
	data, err := json.Marshal(registered{r.InstanceID, r.Region})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return host.WriteFile(path, data, 0o600)
}
