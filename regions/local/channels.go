package local

import "github.com/ssm-setup/ssm-setup/regions/local/ssmmessages"

// Disturbance is what becomes of one frame of a control channel.
type Disturbance = ssmmessages.Disturbance

// Disturb has f decide what becomes of every frame of every control channel; nil, or [Region.Mend], ends it. kind is the frame's type, such
// as agent_job.
func (r *Region) Disturb(f func(toNode bool, kind string) Disturbance) { r.channels.Disturb(f) }

// Channels is how many control channels a node has open. While it has one its commands go to the newest, and polls bring none.
func (r *Region) Channels(instance string) int { return r.channels.Open(instance) }

// CloseChannels ends the control channels of a node, "" those of all nodes, without a word.
func (r *Region) CloseChannels(instance string) { r.channels.CloseAll(instance) }

// ExpireChannelTokens makes the tokens worthless with which nodes are about to open a channel.
func (r *Region) ExpireChannelTokens() { r.channels.ExpireTokens() }

// DenyChannels refuses every further control channel, so that nodes poll ec2messages, or ends that. [Region.Mend] does not.
func (r *Region) DenyChannels(on bool) { r.channels.Deny(on) }

// sawFrame takes a frame into the record of calls.
func (r *Region) sawFrame(f ssmmessages.Seen) {
	r.calls.see(Seen{At: r.now(), Operation: f.Kind, Who: f.Node, Status: 200})
	r.records.Signal(callsKey)
	r.calls.add(Call{Operation: f.Kind, At: r.now(), Body: f.Payload, Status: 200})
}
