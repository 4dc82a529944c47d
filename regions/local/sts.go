package local

import (
	"strings"

	"github.com/ssm-setup/ssm-setup/regions"
)

// stsOperations are the operations of sts, of the query protocol.
func stsOperations() map[string]operation {
	return map[string]operation{
		"GetCallerIdentity": {func(c caller) bool { return administrator(c) || node(c) }, getCallerIdentity},
	}
}

// callerIdentity is the result of GetCallerIdentity, in the order sts writes it.
type callerIdentity struct {
	Arn     string
	UserId  string
	Account string
}

// getCallerIdentity answers as for a user to the administrator, and as for a role that a node took on to a node.
func getCallerIdentity(c *call) (any, error) {
	account := c.region.account
	arn := "arn:" + regions.Partition(c.region.name) + ":"
	if c.caller.administrator {
		return callerIdentity{arn + "iam::" + account + ":user/administrator", "AIDA" + strings.TrimPrefix(c.caller.accessKey, "AKIA"), account}, nil
	}
	role, err := c.region.roleOf(c.caller.instanceID)
	if err != nil {
		return nil, err
	}
	role = role[strings.LastIndexByte(role, '/')+1:] // the path is no part of it
	return callerIdentity{arn + "sts::" + account + ":assumed-role/" + role + "/" + c.caller.instanceID,
		"AROA" + strings.TrimPrefix(c.caller.accessKey, "ASIA") + ":" + c.caller.instanceID, account}, nil
}
