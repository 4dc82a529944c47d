// Package sts is the service sts of a local region: it tells a caller who it is. It speaks the query protocol and owns no records.
package sts

import (
	"strings"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// Service is the row of sts in the dispatch table. role is the role a node was registered with.
func Service(gate *protocol.Gate, role func(instanceID string) (string, error)) protocol.Service {
	s := service{gate.Region, role}
	return gate.Query("sts", namespace, protocol.Operations{
		"GetCallerIdentity": {Allow: protocol.NodeOrAdministrator, Run: s.getCallerIdentity},
	})
}

type service struct {
	region string
	role   func(instanceID string) (string, error)
}

// callerIdentity is the result of GetCallerIdentity, in the order sts writes it.
type callerIdentity struct {
	Arn     string
	UserId  string
	Account string
}

// getCallerIdentity answers as for a user to the administrator, and as for a role that a node took on to a node.
func (s service) getCallerIdentity(c *protocol.Call) (any, error) {
	arn := "arn:" + regions.Partition(s.region) + ":"
	if c.Caller.Administrator {
		return callerIdentity{Arn: arn + "iam::" + protocol.Account + ":user/administrator",
			UserId: "AIDA" + strings.TrimPrefix(c.Caller.AccessKey, "AKIA"), Account: protocol.Account}, nil
	}
	role, err := s.role(c.Caller.InstanceID)
	if err != nil {
		return nil, err
	}
	role = role[strings.LastIndexByte(role, '/')+1:] // the path is no part of it
	return callerIdentity{Arn: arn + "sts::" + protocol.Account + ":assumed-role/" + role + "/" + c.Caller.InstanceID,
		UserId: "AROA" + strings.TrimPrefix(c.Caller.AccessKey, "ASIA") + ":" + c.Caller.InstanceID, Account: protocol.Account}, nil
}
