package local

import (
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Ping is one UpdateInstanceInformation as it came in: health pings, and what an updater says in AgentStatus
// (spec runcommand 4.1, update 1.18).
type Ping struct {
	At time.Time
	wire.UpdateInstanceInformationInput
}

// pingsKept is how many pings per node the region remembers.
const pingsKept = 500

func updateInstanceInformation(c *call) (any, error) {
	var in wire.UpdateInstanceInformationInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.InstanceId == "" {
		in.InstanceId = c.caller.instanceID
	}
	if in.InstanceId != c.caller.instanceID {
		return nil, fault{Code: "AccessDeniedException", Message: c.caller.instanceID + " may not speak for " + in.InstanceId + "."}
	}
	var k check
	k.oneOf("platformType", in.PlatformType, "Windows", "Linux", "MacOS")
	k.length("iPAddress", in.IPAddress, 1, 46)
	k.length("computerName", in.ComputerName, 1, 255)
	if err := k.err(); err != nil {
		return nil, err
	}
	err := c.region.db.Update(func(tx *bbolt.Tx) error { return c.region.keepPing(tx, in) })
	if err == nil {
		c.region.wake("ping/" + in.InstanceId)
	}
	return struct{}{}, err
}

func (r *Region) keepPing(tx *bbolt.Tx, in wire.UpdateInstanceInformationInput) error {
	n, err := present(tx, in.InstanceId)
	if err != nil {
		return err
	}
	now := r.now()
	if n.Ping = n.merged(in); in.AgentStatus == "" || in.AgentStatus == "Active" {
		n.LastPing = now
	}
	if err := save(tx, inNodes, n.ID, n); err != nil {
		return err
	}
	at, err := number(tx, inPings)
	if err != nil {
		return err
	}
	keys := keysOf(tx, inPings, n.ID+"/")
	for i := 0; i+pingsKept <= len(keys); i++ {
		if err := remove(tx, inPings, keys[i]); err != nil {
			return err
		}
	}
	return save(tx, inPings, n.ID+"/"+at, Ping{now, in})
}

// merged is what is known of the node after a ping: the empty ping of start-up and the updater's carry less than the
// health ping and take nothing away. An updater speaks with the version it came from, which may be gone by then.
func (n registration) merged(in wire.UpdateInstanceInformationInput) wire.UpdateInstanceInformationInput {
	keep := func(now *string, before string) {
		if *now == "" {
			*now = before
		}
	}
	keep(&in.AgentName, n.Ping.AgentName)
	if in.AgentStatus != "" && in.AgentStatus != "Active" && n.Ping.AgentVersion != "" {
		in.AgentVersion = n.Ping.AgentVersion
	}
	keep(&in.AgentVersion, n.Ping.AgentVersion)
	keep(&in.ComputerName, n.Ping.ComputerName)
	keep(&in.IPAddress, n.Ping.IPAddress)
	keep(&in.PlatformName, n.Ping.PlatformName)
	keep(&in.PlatformType, n.Ping.PlatformType)
	keep(&in.PlatformVersion, n.Ping.PlatformVersion)
	if in.SSMConnectionChannel == nil {
		in.SSMConnectionChannel = n.Ping.SSMConnectionChannel
	}
	return in
}
