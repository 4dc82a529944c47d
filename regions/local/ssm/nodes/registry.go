// Package nodes is the part of ssm that knows managed nodes: activations, registration, role tokens, pings, tags.
//
// A machine registers with an activation (id and code, given out once) and its public key; from then on its key proves who it
// is, and what it is given for that, temporary credentials, signs everything else. A node that is deregistered stays as a
// record, so that old commands still have a name.
//
// It owns the tables of records "ssm.activations" (activation id), "ssm.nodes" (node id) and "ssm.pings" (node id / number).
//
// What must always be true: an activation takes in no more machines than its limit, and none after its end; a node speaks for
// itself only. Facts: docs/protocol/identity.md, "Wire formats and request signing", "Service-side facts for a local region";
// docs/protocol/runcommand.md, "Health ping and hibernation".
package nodes

import (
	"crypto/rsa"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// Tables of records.
const (
	activationsTable = "ssm.activations" // activation id
	nodesTable       = "ssm.nodes"       // node id
	pingsTable       = "ssm.pings"       // node id / number
)

// Registry is every node of a region.
type Registry struct {
	records *records.Store
	now     func() time.Time
	keys    *protocol.Keys
	latest  func() string
}

// Open opens the registry of a region. now is the region's time; latest the newest version of the agent that its bucket names,
// "" without one.
func Open(store *records.Store, now func() time.Time, keys *protocol.Keys, latest func() string) (*Registry, error) {
	return &Registry{store, now, keys, latest}, store.Prepare(activationsTable, nodesTable, pingsTable)
}

// Operations are the rows of ssm that concern nodes.
func (r *Registry) Operations() protocol.Operations {
	return protocol.Operations{
		"CreateActivation":    {Allow: protocol.Administrator, Run: r.createActivation},
		"DescribeActivations": {Allow: protocol.Administrator, Run: r.describeActivations},
		"DeleteActivation":    {Allow: protocol.Administrator, Run: r.deleteActivation},

		"RegisterManagedInstance":         {Allow: newcomer, Run: r.registerManagedInstance},
		"RequestManagedInstanceRoleToken": {Allow: protocol.NodeKey, Run: r.requestManagedInstanceRoleToken},
		"UpdateManagedInstancePublicKey":  {Allow: protocol.NodeKey, Run: r.updateManagedInstancePublicKey},
		"UpdateInstanceInformation":       {Allow: protocol.Node, Run: r.updateInstanceInformation},
		"DescribeInstanceInformation":     {Allow: protocol.Administrator, Run: r.describeInstanceInformation},
		"DeregisterManagedInstance":       {Allow: protocol.Administrator, Run: r.deregisterManagedInstance},
	}
}

// newcomer may register: with an activation no signature is needed; with a role (edge) the administrator signs.
func newcomer(c protocol.Caller) bool { return c.Anonymous || c.Administrator }

func (r *Registry) deregisterManagedInstance(c *protocol.Call) (any, error) {
	var in struct{ InstanceId string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return struct{}{}, r.Deregister(in.InstanceId)
}

// Deregister takes a node out and empties its mailbox. Error: InvalidInstanceId.
func (r *Registry) Deregister(id string) error {
	return r.records.Update(func(tx *records.Tx) error {
		n, err := Present(tx, id)
		if err != nil {
			return err
		}
		n.Gone = true
		if err := records.Save(tx, nodesTable, n.ID, n); err != nil {
			return err
		}
		return mailbox.Discard(tx, n.ID)
	})
}

// RotateKey makes the next role token ask the node for a new key pair (docs/protocol/identity.md, "Key rotation").
func (r *Registry) RotateKey(id string) error {
	return r.records.Update(func(tx *records.Tx) error {
		n, err := Present(tx, id)
		if err != nil {
			return err
		}
		n.RotateKey = true
		return records.Save(tx, nodesTable, n.ID, n)
	})
}

// Role is the role a node was registered with. Error: InvalidInstanceId.
func (r *Registry) Role(id string) (role string, err error) {
	err = r.records.View(func(tx *records.Tx) error {
		n, err := Present(tx, id)
		role = n.Role
		return err
	})
	return role, err
}

// Key is the public key a node is registered with; ok is false for nodes unknown or deregistered.
func (r *Registry) Key(id string) (key *rsa.PublicKey, ok bool) {
	_ = r.records.View(func(tx *records.Tx) error {
		n, err := Present(tx, id)
		if err != nil {
			return err
		}
		key, err = publicKey(n.PublicKey)
		ok = err == nil
		return err
	})
	return key, ok
}
