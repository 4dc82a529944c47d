package identity

import (
	"cmp"
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
)

// errService says that a client was asked for without a service.
var errService = errors.New("no client without a service")

// Client calls a service as this machine: signed with its credentials, in its region or, as far as the signature goes, in
// Agent.Region (docs/protocol/identity.md, "Configuration properties" and "Endpoints"). One request takes as long as
// configured, at most a minute where nothing is.
func (i *Identity) Client(s cloud.Service) (*cloud.Client, error) {
	if s.Name == "" {
		return nil, errService
	}
	override, _ := i.cfg.Service(s.Name)
	at := i.Region
	if s.Name == "ssmmessages" {
		at = cmp.Or(i.cfg.Mgs.Region, at)
	}
	endpoint, err := cloud.Endpoint(s.Name, at, i.cfg.Agent.ServiceDomain, override)
	if err != nil {
		return nil, err
	}
	region := cmp.Or(i.cfg.Agent.Region, at)
	return cloud.New(cloud.Options{
		HTTP: i.o.HTTP, Region: region, Endpoint: endpoint, Service: s.Name, Target: s.Target,
		UserAgent: cloud.UserAgent(i.cfg.Agent.Name, i.cfg.Agent.Version), Credentials: i.source,
		Log: i.o.Log, Timeout: limit(i.cfg, s.Name), Now: i.o.Now, Pause: i.o.Pause,
	}), nil
}

// limit is how long one request may take. There is always one: without it a service that takes a connection and never answers would
// keep the agent from pinging until it is restarted.
func limit(cfg config.Config, service string) time.Duration {
	if _, limit := cfg.Service(service); limit > 0 {
		return limit
	}
	return callLimit
}
