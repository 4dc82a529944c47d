package nodes

import (
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/records"
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
func (r *Registry) CreateActivation(limit int) (id, code string, err error) {
	a, err := r.activate(createActivationInput{IamRole: "LocalNode", RegistrationLimit: &limit})
	return a.ActivationId, a.SecretCode, err
}

// Instances are the registered nodes in the order of their ids.
func (r *Registry) Instances() (all []Instance) {
	now := r.now()
	_ = r.records.View(func(tx *records.Tx) error {
		nodes, err := All(tx)
		for _, n := range nodes {
			all = append(all, Instance{InstanceID: n.ID, Name: n.Name, Role: n.Role, ActivationID: n.ActivationID, Registered: n.Registered,
				Tags: n.Tags, PingStatus: n.PingStatus(now), LastPing: n.LastPing, AgentVersion: n.Ping.AgentVersion,
				Agent: n.Ping})
		}
		return err
	})
	return all
}

// Pings are the last pings of a node, the oldest first, at most 500: its agent's and its updater's.
func (r *Registry) Pings(instance string) (pings []Ping) {
	_ = r.records.View(func(tx *records.Tx) error {
		return records.Each(tx, pingsTable, instance+"/", func(_ string, p Ping) bool { pings = append(pings, p); return false })
	})
	return pings
}

// PingsAfter are the pings of a node that came after the one with the given mark ("": all that are kept), the oldest first, and the
// mark of the last.
func (r *Registry) PingsAfter(instance, mark string) (pings []Ping, last string, err error) {
	last = mark
	prefix := instance + "/"
	err = r.records.View(func(tx *records.Tx) error {
		c := records.Seek(tx, pingsTable, prefix+mark)
		for key, ok := c.Key(); ok && strings.HasPrefix(key, prefix); key, ok = c.Key() {
			if at := key[len(prefix):]; at != mark {
				var p Ping
				if err := c.Read(&p); err != nil {
					return err
				}
				pings, last = append(pings, p), at
			}
			c.Next()
		}
		return nil
	})
	return pings, last, err
}

// PingSignal returns a channel that is closed by the next ping of a node.
func (r *Registry) PingSignal(id string) <-chan struct{} { return r.records.Changed(pingOf(id)) }

func pingOf(id string) string { return "ping/" + id }
