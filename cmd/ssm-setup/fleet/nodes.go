package fleet

import (
	"context"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// Node is a host as its region lists it.
type Node struct {
	ID         string      `json:"instance_id"`
	Name       string      `json:"name,omitempty"`
	Version    string      `json:"version"`   // of the agent that pinged
	Ping       string      `json:"ping"`      // Online, ConnectionLost, Inactive
	Pinged     time.Time   `json:"last_ping"` // UTC
	Platform   string      `json:"platform"`  // such as Debian GNU/Linux 12
	LastUpdate *LastUpdate `json:"last_update,omitempty"`
}

// LastUpdate is the last AWS-UpdateSSMAgent that was sent to a host, of the last thousand in the region.
type LastUpdate struct {
	Status string    `json:"status"` // Success, Failed, InProgress, …
	At     time.Time `json:"at"`     // UTC, when it was asked for
}

// seconds is a moment as the service's JSON has it.
type seconds float64

func (s seconds) time() time.Time { return time.UnixMilli(int64(float64(s) * 1000)).UTC() }

// Bounds of what is asked for.
const (
	mostPages = 200 // of 50 hosts
	mostSent  = 20  // pages of 50 updates
)

// Nodes are all hosts of a region, in the order in which the service lists them. ssm is a client of that service.
func Nodes(ctx context.Context, ssm *cloud.Client) ([]Node, error) {
	updates, err := lastUpdates(ctx, ssm)
	if err != nil {
		return nil, err
	}
	nodes, token := []Node{}, ""
	for range mostPages {
		var page struct {
			InstanceInformationList []struct {
				InstanceId, Name, ComputerName, AgentVersion, PingStatus, PlatformName, PlatformVersion string
				LastPingDateTime                                                                        seconds
			}
			NextToken string
		}
		if err := ssm.Call(ctx, "DescribeInstanceInformation", asked(token, nil), &page); err != nil {
			return nil, err
		}
		for _, i := range page.InstanceInformationList {
			n := Node{ID: i.InstanceId, Name: i.Name, Version: i.AgentVersion, Ping: i.PingStatus, Pinged: i.LastPingDateTime.time(),
				Platform: i.PlatformName + " " + i.PlatformVersion, LastUpdate: updates[i.InstanceId]}
			if n.Name == "" {
				n.Name = i.ComputerName
			}
			nodes = append(nodes, n)
		}
		if token = page.NextToken; token == "" {
			break
		}
	}
	return nodes, nil
}

// lastUpdates are the last updates that were sent, by host. Callers who may not list commands get none.
func lastUpdates(ctx context.Context, ssm *cloud.Client) (map[string]*LastUpdate, error) {
	last, token := map[string]*LastUpdate{}, ""
	filter := []map[string]string{{"key": "DocumentName", "value": "AWS-UpdateSSMAgent"}}
	for range mostSent {
		var page struct {
			CommandInvocations []struct {
				InstanceId, Status string
				RequestedDateTime  seconds
			}
			NextToken string
		}
		err := ssm.Call(ctx, "ListCommandInvocations", asked(token, filter), &page)
		if cloud.Code(err) == "AccessDeniedException" {
			return last, nil
		}
		if err != nil {
			return nil, err
		}
		for _, c := range page.CommandInvocations {
			if at := c.RequestedDateTime.time(); last[c.InstanceId] == nil || last[c.InstanceId].At.Before(at) {
				last[c.InstanceId] = &LastUpdate{c.Status, at}
			}
		}
		if token = page.NextToken; token == "" {
			break
		}
	}
	return last, nil
}

func asked(token string, filters any) map[string]any {
	in := map[string]any{"MaxResults": 50}
	if token != "" {
		in["NextToken"] = token
	}
	if filters != nil {
		in["Filters"] = filters
	}
	return in
}
