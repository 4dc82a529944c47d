package nodes

import (
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Ping is one UpdateInstanceInformation as it came in: health pings, and what an updater says in AgentStatus
// (docs/protocol/runcommand.md, "UpdateInstanceInformation"; docs/protocol/update.md, "Health status").
type Ping struct {
	At time.Time
	wire.UpdateInstanceInformationInput
}

// pingsKept is how many pings per node the region remembers.
const pingsKept = 500

func (r *Registry) updateInstanceInformation(c *protocol.Call) (any, error) {
	var in wire.UpdateInstanceInformationInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if in.InstanceId == "" {
		in.InstanceId = c.Caller.InstanceID
	}
	if in.InstanceId != c.Caller.InstanceID {
		return nil, protocol.Fault{Code: "AccessDeniedException", Message: c.Caller.InstanceID + " may not speak for " + in.InstanceId + "."}
	}
	var k protocol.Check
	k.OneOf("platformType", in.PlatformType, "Windows", "Linux", "MacOS")
	k.Length("iPAddress", in.IPAddress, 1, 46)
	k.Length("computerName", in.ComputerName, 1, 255)
	if err := k.Err(); err != nil {
		return nil, err
	}
	return struct{}{}, r.records.Update(func(tx *records.Tx) error {
		tx.Signal(pingOf(in.InstanceId))
		return r.keepPing(tx, in)
	})
}

func (r *Registry) keepPing(tx *records.Tx, in wire.UpdateInstanceInformationInput) error {
	n, err := Present(tx, in.InstanceId)
	if err != nil {
		return err
	}
	now := r.now()
	if n.Ping = n.merged(in); in.AgentStatus == "" || in.AgentStatus == "Active" {
		n.LastPing = now
	}
	if err := records.Save(tx, nodesTable, n.ID, n); err != nil {
		return err
	}
	at, err := records.Number(tx, pingsTable)
	if err != nil {
		return err
	}
	keys := records.Keys(tx, pingsTable, n.ID+"/")
	for i := 0; i+pingsKept <= len(keys); i++ {
		if err := records.Remove(tx, pingsTable, keys[i]); err != nil {
			return err
		}
	}
	return records.Save(tx, pingsTable, n.ID+"/"+at, Ping{now, in})
}

// merged is what is known of the node after a ping: the empty ping of start-up and the updater's carry less than the
// health ping and take nothing away. An updater speaks with the version it came from, which may be gone by then.
func (n Node) merged(in wire.UpdateInstanceInformationInput) wire.UpdateInstanceInformationInput {
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
	if in.SSMConnectionChannel == nil || in.AgentStatus != "" && in.AgentStatus != "Active" { // an updater has no channel of its own
		in.SSMConnectionChannel = n.Ping.SSMConnectionChannel
	}
	return in
}
