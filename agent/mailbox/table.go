package mailbox

import (
	"context"
	"slices"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// Kind is a row of the table of lanes: everything the rest of the agent, and an updater that answers later, know of a lane.
type Kind struct {
	Name    string        // in state files
	Service cloud.Service // what it talks to; the service's name is what pings call the channel
	Undated bool          // its messages carry no usable creation date

	Asked bool // opened only where [Options].Channel asks for it

	open func(Options) Lane
	late func(Machine) Late
}

// Table lists the lanes in the order in which their channel is preferred. A lane is a file with its [Kind], and its row here.
func Table() []Kind {
	return []Kind{ssmmessages(), ec2messages()}
}

// Names of lanes in state files (docs/protocol/runcommand.md, "State file").
const (
	EC2Messages = "MessageDeliveryService"
	SSMMessages = "MessageGatewayService"
)

// Lanes opens every lane that this version has.
func Lanes(o Options) []Lane {
	o.complete()
	o.handover = newHandover(o.Now)
	var lanes []Lane
	if o.Connected == nil {
		o.Connected = func() bool {
			return slices.ContainsFunc(lanes, func(l Lane) bool { return l.Name() == SSMMessages && l.Open() })
		}
	}
	for _, k := range Table() {
		if !k.Asked || o.Channel {
			lanes = append(lanes, k.open(o))
		}
	}
	return lanes
}

// Find is the lane for messages of the lane of that name: itself, or ec2messages where this version knows no such lane.
func Find(lanes []Lane, name string) Lane {
	for _, wanted := range []string{name, EC2Messages} {
		for _, l := range lanes {
			if l.Name() == wanted {
				return l
			}
		}
	}
	return lanes[0]
}

// Services are those that the lanes of this version talk to without being asked to.
func Services() []cloud.Service {
	var list []cloud.Service
	for _, k := range Table() {
		if !k.Asked {
			list = append(list, k.Service)
		}
	}
	return list
}

// Names are the names of the lanes that are opened; channel is [Options].Channel.
func Names(channel bool) (names []string) {
	for _, k := range Table() {
		if !k.Asked || channel {
			names = append(names, k.Name)
		}
	}
	return names
}

// kindOf finds a row; state files of jobs without a lane's name are those of ec2messages.
func kindOf(name string) Kind {
	for _, k := range Table() {
		if k.Name == name {
			return k
		}
	}
	return ec2messages()
}

// Undated tells whether the lane of that name has messages without a usable creation date.
func Undated(name string) bool { return kindOf(name).Undated }

// Channel is what pings say of the way messages come: the service of the first lane that is open, ec2messages when none is.
func Channel(lanes []Lane) string {
	for _, l := range lanes {
		if l.Open() {
			return kindOf(l.Name()).Service.Name
		}
	}
	return ec2messages().Service.Name
}

// Machine is what a late answer needs of this machine.
type Machine struct {
	Client     func(cloud.Service) (*cloud.Client, error) // of a service, as this machine
	InstanceID string
	Directory  string // <data>/<short instance id>
}

// Late answers a message from another process than the agent that received it: an updater. An error that wraps [ErrGone] means that
// no further try changes the service's answer.
type Late struct {
	Reply  func(ctx context.Context, messageID, replyID, payload string) error
	Delete func(ctx context.Context, messageID string) error // after the last reply
	Probe  func(ctx context.Context) error                   // a round trip that changes nothing
}

// LateFor is how messages of the lane of that name are answered late by this machine, which is asked for anew every time.
func LateFor(name string, machine func() (Machine, error)) Late {
	late := func(f func(Late) error) error {
		m, err := machine()
		if err != nil {
			return err
		}
		return f(kindOf(name).late(m))
	}
	return Late{
		Reply: func(ctx context.Context, messageID, replyID, payload string) error {
			return late(func(l Late) error { return l.Reply(ctx, messageID, replyID, payload) })
		},
		Delete: func(ctx context.Context, messageID string) error {
			return late(func(l Late) error { return l.Delete(ctx, messageID) })
		},
		Probe: func(ctx context.Context) error { return late(func(l Late) error { return l.Probe(ctx) }) },
	}
}
