package nodes

import (
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Node is the record of a managed node: who it is, and what its last ping said.
type Node struct {
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

// onlineFor is how long after a ping a node counts as online: the agent pings every 5 minutes (docs/protocol/runcommand.md,
// "Frequency and errors").
const onlineFor = 6 * time.Minute

// PingStatus is Online, ConnectionLost, or Inactive before the first ping.
func (n Node) PingStatus(now time.Time) string {
	switch {
	case n.LastPing.IsZero():
		return "Inactive"
	case now.Sub(n.LastPing) > onlineFor:
		return "ConnectionLost"
	default:
		return "Online"
	}
}

// Tag is the value of a tag.
func (n Node) Tag(key string) (string, bool) {
	for _, t := range n.Tags {
		if t.Key == key {
			return t.Value, true
		}
	}
	return "", false
}

// Present reads a node that is registered; unknown and deregistered ones are an InvalidInstanceId.
func Present(tx *records.Tx, id string) (Node, error) {
	n, ok, err := records.Fetch[Node](tx, nodesTable, id)
	if err != nil || !ok || n.Gone {
		return n, protocol.NotFound(err, protocol.Refuse("InvalidInstanceId", "%s isn't a managed node of this region.", id))
	}
	return n, nil
}

// All reads every registered node, in the order of ids.
func All(tx *records.Tx) (all []Node, err error) {
	err = records.Each(tx, nodesTable, "", func(_ string, n Node) bool {
		if !n.Gone {
			all = append(all, n)
		}
		return false
	})
	return all, err
}

// Named reads a node by its id, deregistered ones too; the zero node where there is none.
func Named(tx *records.Tx, id string) (Node, error) {
	n, _, err := records.Fetch[Node](tx, nodesTable, id)
	return n, err
}

// ChangeTags hands the tags of a node to change and keeps what it returns, where it says so. Error: missing for nodes unknown or
// deregistered.
func ChangeTags(tx *records.Tx, id string, missing error, change func([]wire.Tag) (tags []wire.Tag, keep bool, err error)) error {
	n, err := Present(tx, id)
	if err != nil {
		return missing
	}
	tags, keep, err := change(n.Tags)
	if err != nil || !keep {
		return err
	}
	n.Tags = tags
	return records.Save(tx, nodesTable, n.ID, n)
}

// IsID tells whether s names a node: "i-" and 8 or 17 word characters, or "mi-" and 17.
func IsID(s string) bool {
	if rest, ok := strings.CutPrefix(s, "mi-"); ok {
		return len(rest) == 17 && protocol.Only(rest, "_")
	}
	rest, ok := strings.CutPrefix(s, "i-")
	return ok && (len(rest) == 8 || len(rest) == 17) && protocol.Only(rest, "_")
}
