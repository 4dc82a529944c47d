package local

import (
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// registration is the record of a managed node: who it is, and what its last ping said.
type registration struct {
	ID            string
	ActivationID  string `json:",omitempty"`
	Role          string
	Name          string `json:",omitempty"`
	PublicKey     string // standard base64 of SubjectPublicKeyInfo
	PublicKeyType string
	Fingerprint   string
	Registered    time.Time
	Tags          []wire.Tag `json:",omitempty"`
	Edge          bool       `json:",omitempty"` // registered with a role instead of an activation
	Gone          bool       `json:",omitempty"` // deregistered; kept so that old commands still have a name
	RotateKey     bool       `json:",omitempty"` // the next role token asks for a new key pair

	LastPing time.Time `json:",omitzero"`
	Ping     wire.UpdateInstanceInformationInput
}

// onlineFor is how long after a ping a node counts as online: the agent pings every 5 minutes (spec runcommand 4.2).
const onlineFor = 6 * time.Minute

// pingStatus is Online, ConnectionLost, or Inactive before the first ping.
func (n registration) pingStatus(now time.Time) string {
	switch {
	case n.LastPing.IsZero():
		return "Inactive"
	case now.Sub(n.LastPing) > onlineFor:
		return "ConnectionLost"
	default:
		return "Online"
	}
}

func (n registration) tag(key string) (string, bool) {
	for _, t := range n.Tags {
		if t.Key == key {
			return t.Value, true
		}
	}
	return "", false
}

// present reads a node that is registered; unknown and deregistered ones are an InvalidInstanceId.
func present(tx *bbolt.Tx, id string) (registration, error) {
	n, ok, err := fetch[registration](tx, inNodes, id)
	if err != nil || !ok || n.Gone {
		return n, orNotFound(err, refuse("InvalidInstanceId", "%s isn't a managed node of this region.", id))
	}
	return n, nil
}

// nodesOf reads every registered node, in the order of ids.
func nodesOf(tx *bbolt.Tx) (all []registration, err error) {
	err = each(tx, inNodes, "", func(_ string, n registration) bool {
		if !n.Gone {
			all = append(all, n)
		}
		return false
	})
	return all, err
}

func deregisterManagedInstance(c *call) (any, error) {
	var in struct{ InstanceId string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return struct{}{}, c.region.deregister(in.InstanceId)
}

func (r *Region) deregister(id string) error {
	return r.db.Update(func(tx *bbolt.Tx) error {
		n, err := present(tx, id)
		if err != nil {
			return err
		}
		n.Gone = true
		if err := save(tx, inNodes, n.ID, n); err != nil {
			return err
		}
		return discardMail(tx, n.ID)
	})
}

// roleOf is the role a node was registered with.
func (r *Region) roleOf(instance string) (role string, err error) {
	err = r.db.View(func(tx *bbolt.Tx) error {
		n, err := present(tx, instance)
		role = n.Role
		return err
	})
	return role, err
}

// latestVersion is the newest version the region's bucket names, "" without one.
func (r *Region) latestVersion() string {
	text, err := r.Get("latest/VERSION")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
