package main

import (
	"sync"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/installer"
)

// node is this machine to its region.
type node struct {
	id *identity.Identity
	s3 cloud.S3Options
}

// nodesRegion is the region as a document worker may use it, with the credentials that the agent shares. Nothing is read before the
// first use.
func nodesRegion() output.Region {
	load := sync.OnceValues(loadNode)
	return output.Region{
		S3: func() (*cloud.S3, error) {
			n, err := load()
			if err != nil {
				return nil, err
			}
			return cloud.NewS3(n.s3), nil
		},
		Client: func(s cloud.Service) (*cloud.Client, error) {
			n, err := load()
			if err != nil {
				return nil, err
			}
			return n.id.Client(s)
		},
	}
}

func loadNode() (n node, err error) {
	layout, err := installer.Here()
	if err != nil {
		return n, err
	}
	cfg := config.Read(layout).Config
	client, err := cloud.HTTP()
	if err != nil {
		return n, err
	}
	if n.id, err = identity.Load(layout, cfg, identity.Options{HTTP: client}); err != nil {
		return n, err
	}
	n.s3 = cloud.S3Options{HTTP: client, Region: n.id.Region, Domain: cfg.Agent.ServiceDomain, Endpoint: cfg.S3.Endpoint,
		UserAgent: cloud.UserAgent(cfg.Agent.Name, cfg.Agent.Version), Credentials: n.id.Credentials()}
	if cfg.S3.Region != "" {
		n.s3.Region = cfg.S3.Region
	}
	return n, nil
}
