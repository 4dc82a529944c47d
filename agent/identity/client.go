package identity

import (
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// service is what a client of one of the region's JSON services needs.
type service struct {
	target   string
	endpoint func(config.Config) string        // the configured override
	timeout  func(config.Config) time.Duration // of one request
}

// aMinute limits requests of which nobody else knows how long they may take: without it a service that takes a connection and
// never answers would keep the agent from pinging until it is restarted.
func aMinute(config.Config) time.Duration { return callLimit }

func services() map[string]service {
	return map[string]service{
		"ssm": {wire.TargetSSM, func(c config.Config) string { return c.Ssm.Endpoint }, aMinute},
		"ec2messages": {wire.TargetEC2Messages, func(c config.Config) string { return c.Mds.Endpoint },
			func(c config.Config) time.Duration { return time.Duration(c.Mds.StopTimeoutMillis) * time.Millisecond }},
	}
}

// Client calls a service, ssm or ec2messages, as this machine: signed with its credentials, in its region or, as far as the
// signature goes, in Agent.Region (spec identity 8.2, 15).
func (i *Identity) Client(name string) (*cloud.Client, error) {
	s, ok := services()[name]
	if !ok {
		return nil, fmt.Errorf("no client for service %q", name)
	}
	endpoint, err := cloud.Endpoint(name, i.Region, i.cfg.Agent.ServiceDomain, s.endpoint(i.cfg))
	if err != nil {
		return nil, err
	}
	region := i.Region
	if i.cfg.Agent.Region != "" {
		region = i.cfg.Agent.Region
	}
	return cloud.New(cloud.Options{
		HTTP: i.o.HTTP, Region: region, Endpoint: endpoint, Service: name, Target: s.target,
		UserAgent: cloud.UserAgent(i.cfg.Agent.Name, i.cfg.Agent.Version), Credentials: i.source,
		Log: i.o.Log, Timeout: s.timeout(i.cfg), Now: i.o.Now, Pause: i.o.Pause,
	}), nil
}
