package local

import (
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Instance is a managed node as the region knows it.
type Instance struct {
	InstanceID   string
	Name         string
	Role         string
	ActivationID string
	Registered   time.Time
	Tags         []wire.Tag
	PingStatus   string    // Online, ConnectionLost, Inactive (before its first ping)
	LastPing     time.Time // of an agent; updaters don't count
	AgentVersion string
	Agent        wire.UpdateInstanceInformationInput // what pings said last
}

// CreateActivation makes an activation for up to limit machines, good for a day. The role is LocalNode.
func (r *Region) CreateActivation(limit int) (id, code string, err error) {
	a, err := r.activate(createActivationInput{IamRole: "LocalNode", RegistrationLimit: &limit})
	return a.ActivationId, a.SecretCode, err
}

// Instances are the registered nodes in the order of their ids.
func (r *Region) Instances() (all []Instance) {
	now := r.now()
	_ = r.db.View(func(tx *bbolt.Tx) error {
		nodes, err := nodesOf(tx)
		for _, n := range nodes {
			all = append(all, Instance{InstanceID: n.ID, Name: n.Name, Role: n.Role, ActivationID: n.ActivationID, Registered: n.Registered,
				Tags: n.Tags, PingStatus: n.pingStatus(now), LastPing: n.LastPing, AgentVersion: n.Ping.AgentVersion,
				Agent: n.Ping})
		}
		return err
	})
	return all
}

// Pings are the last pings of a node, the oldest first, at most 500: its agent's and its updater's.
func (r *Region) Pings(instance string) (pings []Ping) {
	_ = r.db.View(func(tx *bbolt.Tx) error {
		return each(tx, inPings, instance+"/", func(_ string, p Ping) bool { pings = append(pings, p); return false })
	})
	return pings
}

// PingSignal returns a channel that is closed by the next ping of a node.
func (r *Region) PingSignal(instance string) <-chan struct{} { return r.waiter("ping/" + instance) }

// Deregister takes a node out, as DeregisterManagedInstance does.
func (r *Region) Deregister(instance string) error { return r.deregister(instance) }

// RotateKey makes the next role token ask the node for a new key pair (spec identity 5.5).
func (r *Region) RotateKey(instance string) error {
	return r.db.Update(func(tx *bbolt.Tx) error {
		n, err := present(tx, instance)
		if err != nil {
			return err
		}
		n.RotateKey = true
		return save(tx, inNodes, n.ID, n)
	})
}
