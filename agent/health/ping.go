package health

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// agentName is what pings call the agent, whatever Agent.Name says.
const agentName = "amazon-ssm-agent"

// Options of a pinger.
type Options struct {
	Client     *cloud.Client // of ssm, see identity.Identity.Client
	InstanceID string
	Zone       string // availability zone and its id: EC2 nodes only, else empty
	ZoneID     string
	Version    string                      // of the agent, four parts
	Period     time.Duration               // between pings: Ssm.HealthFrequencyMinutes
	Channel    func() string               // ssmmessages, ec2messages or ""; nil: always ""
	Facts      func(context.Context) Facts // of this machine; nil: [ThisMachine]
	Trouble    string                      // what every full ping is followed by, as a status of the agent; empty: nothing
	Done       func(error)                 // told of every ping: nil, or why it failed; may be nil
	Log        *slog.Logger

	Now   func() time.Time
	Pause func(context.Context, time.Duration) error
}

// Pinger tells the region that this node is there.
type Pinger struct{ o Options }

// New completes the options.
func New(o Options) *Pinger {
	if o.Channel == nil {
		o.Channel = func() string { return "" }
	}
	if o.Facts == nil {
		o.Facts = ThisMachine()
	}
	if o.Done == nil {
		o.Done = func(error) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = host.Sleep
	}
	if o.Period <= 0 {
		o.Period = 5 * time.Minute
	}
	return &Pinger{o}
}

// Ping sends one full ping (docs/protocol/runcommand.md, "UpdateInstanceInformation"), and one more with what troubles the agent, in the
// member in which updaters send their statuses: a ping that says something else than Active is no sign of life by itself.
func (p *Pinger) Ping(ctx context.Context) error {
	if err := p.full(ctx, "Active"); err != nil || p.o.Trouble == "" {
		return err
	}
	if err := p.full(ctx, p.o.Trouble); err != nil {
		p.o.Log.Warn("the region was not told of the agent's trouble", "trouble", p.o.Trouble, "error", err)
	}
	return nil
}

func (p *Pinger) full(ctx context.Context, status string) error {
	f := p.o.Facts(ctx)
	channel := p.o.Channel()
	in := p.empty()
	in.AgentStatus = status
	in.AvailabilityZone, in.AvailabilityZoneId = &p.o.Zone, &p.o.ZoneID
	in.ComputerName, in.IPAddress = f.ComputerName, f.IPAddress
	in.PlatformName, in.PlatformVersion = f.PlatformName, f.PlatformVersion
	in.SSMConnectionChannel = &channel
	return p.send(ctx, in)
}

// Probe sends the empty ping: one round trip that changes nothing but the node's last sign of life.
func (p *Pinger) Probe(ctx context.Context) error { return p.send(ctx, p.empty()) }

func (p *Pinger) empty() wire.UpdateInstanceInformationInput {
	return wire.UpdateInstanceInformationInput{AgentName: agentName, AgentVersion: p.o.Version, InstanceId: p.o.InstanceID,
		PlatformType: PlatformType()}
}

func (p *Pinger) send(ctx context.Context, in wire.UpdateInstanceInformationInput) error {
	err := p.o.Client.Call(ctx, "UpdateInstanceInformation", in, nil)
	if ctx.Err() == nil {
		p.o.Done(err)
	}
	return err
}

// Run pings until the context ends, whose error it returns: after a random part of the period at once and then every period.
// The ping of the start is [Pinger.Awaken]'s.
func (p *Pinger) Run(ctx context.Context) error {
	wait := time.Duration(rand.Int64N(int64(p.o.Period))) //nolint:gosec // a pause is no secret
	for {
		if err := p.o.Pause(ctx, wait); err != nil {
			return err
		}
		if err := p.Ping(ctx); err != nil && ctx.Err() == nil {
			p.o.Log.Error("Health ping failed with error - " + err.Error())
		}
		wait = p.o.Period
	}
}
