package commands

import (
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
)

// listInput is what ListCommands and ListCommandInvocations take.
type listInput struct {
	CommandId  string
	InstanceId string
	Filters    []commandFilter
	Details    bool
	protocol.Paging
}

type commandFilter struct{ Key, Value string }

func (in listInput) check() error {
	var k protocol.Check
	k.Number("maxResults", in.MaxResults, 1, 50)
	k.Most("filters", len(in.Filters), 5)
	for _, f := range in.Filters {
		k.Required("filters.member.value", f.Value)
		k.Length("filters.member.value", f.Value, 1, 128)
	}
	if err := k.Err(); err != nil {
		return err
	}
	if in.CommandId != "" && !protocol.IsUUID(in.CommandId) {
		return protocol.Refuse("InvalidCommandId", "The command ID %q isn't valid.", in.CommandId)
	}
	if in.InstanceId != "" && !nodes.IsID(in.InstanceId) {
		return protocol.Refuse("InvalidInstanceId", "The node ID %q isn't valid.", in.InstanceId)
	}
	for _, f := range in.Filters {
		if !slices.Contains([]string{"InvokedAfter", "InvokedBefore", "Status", "ExecutionStage", "DocumentName"}, f.Key) {
			return protocol.Refuse("InvalidFilterKey", "The filter key %q isn't valid.", f.Key)
		}
		if _, err := time.Parse(time.RFC3339, f.Value); err != nil && strings.HasPrefix(f.Key, "Invoked") {
			return protocol.Refuse("InvalidFilterKey", "The value of the filter %s must be a time like 2026-01-02T15:04:05Z.", f.Key)
		}
	}
	return nil
}

// passes tells whether a command, or an invocation of it with its own status, satisfies every filter.
func (in listInput) passes(c command, status string, over bool) bool {
	for _, f := range in.Filters {
		at, _ := time.Parse(time.RFC3339, f.Value)
		ok := true
		switch f.Key {
		case "InvokedAfter":
			ok = c.Requested.After(at)
		case "InvokedBefore":
			ok = c.Requested.Before(at)
		case "Status":
			ok = f.Value == status
		case "ExecutionStage":
			ok = f.Value == "Complete" && over || f.Value == "Executing" && !over
		case "DocumentName":
			ok = f.Value == c.Document
		}
		if !ok {
			return false
		}
	}
	return true
}

// commandsOf walks commands, the newest first; one alone where its id is given.
func commandsOf(tx *records.Tx, id string, do func(key string, c command) error) error {
	for _, key := range records.Keys(tx, timesTable, "") {
		own := key[strings.IndexByte(key, '/')+1:]
		if id != "" && own != id {
			continue
		}
		c, ok, err := records.Fetch[command](tx, commandsTable, own)
		if err == nil && ok {
			err = do(key, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (tr *Tracker) listCommands(c *protocol.Call) (any, error) {
	var in listInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := tr.Settle(); err != nil {
		return nil, err
	}
	var all []protocol.Keyed[commandShown]
	err := tr.records.View(func(tx *records.Tx) error {
		return commandsOf(tx, in.CommandId, func(key string, cmd command) error {
			s := cmd.shown()
			if _, here := cmd.Standing[in.InstanceId]; (in.InstanceId == "" || here) && in.passes(cmd, s.Status, ended(s.Status)) {
				all = append(all, protocol.Keyed[commandShown]{Key: key, Item: s})
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	some, next, err := protocol.CutKeyed(in.Paging, all, 50)
	return struct {
		Commands  []commandShown
		NextToken string `json:",omitempty"`
	}{some, next}, err
}

func (tr *Tracker) listCommandInvocations(c *protocol.Call) (any, error) {
	var in listInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := tr.Settle(); err != nil {
		return nil, err
	}
	all, err := tr.invocations(in)
	if err != nil {
		return nil, err
	}
	some, next, err := protocol.CutKeyed(in.Paging, all, 50)
	return struct {
		CommandInvocations []invocationShown
		NextToken          string `json:",omitempty"`
	}{tr.withURLs(some), next}, err
}

func (tr *Tracker) invocations(in listInput) (all []protocol.Keyed[invocationShown], err error) {
	now := tr.now()
	err = tr.records.View(func(tx *records.Tx) error {
		return commandsOf(tx, in.CommandId, func(key string, cmd command) error {
			for _, id := range slices.Sorted(slices.Values(cmd.Order)) {
				if in.InstanceId != "" && in.InstanceId != id {
					continue
				}
				n, err := nodes.Named(tx, id)
				if err != nil {
					return err
				}
				if s := cmd.standingOf(n, now); !in.passes(cmd, s.Status, s.final()) {
					continue
				}
				inv, _, err := records.Fetch[invocation](tx, invocationsTable, cmd.ID+"/"+id)
				if err != nil {
					return err
				}
				all = append(all, protocol.Keyed[invocationShown]{Key: key + "/" + id, Item: cmd.shownAt(n, inv, in.Details, now)})
			}
			return nil
		})
	})
	return all, err
}
