package local

import (
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// listInput is what ListCommands and ListCommandInvocations take.
type listInput struct {
	CommandId  string
	InstanceId string
	Filters    []commandFilter
	Details    bool
	paging
}

type commandFilter struct{ Key, Value string }

func (in listInput) check() error {
	var k check
	k.number("maxResults", in.MaxResults, 1, 50)
	k.most("filters", len(in.Filters), 5)
	for _, f := range in.Filters {
		k.required("filters.member.value", f.Value)
		k.length("filters.member.value", f.Value, 1, 128)
	}
	if err := k.err(); err != nil {
		return err
	}
	if in.CommandId != "" && !isUUID(in.CommandId) {
		return refuse("InvalidCommandId", "The command ID %q isn't valid.", in.CommandId)
	}
	if in.InstanceId != "" && !isNodeID(in.InstanceId) {
		return refuse("InvalidInstanceId", "The node ID %q isn't valid.", in.InstanceId)
	}
	for _, f := range in.Filters {
		if !slices.Contains([]string{"InvokedAfter", "InvokedBefore", "Status", "ExecutionStage", "DocumentName"}, f.Key) {
			return refuse("InvalidFilterKey", "The filter key %q isn't valid.", f.Key)
		}
		if _, err := time.Parse(time.RFC3339, f.Value); err != nil && strings.HasPrefix(f.Key, "Invoked") {
			return refuse("InvalidFilterKey", "The value of the filter %s must be a time like 2026-01-02T15:04:05Z.", f.Key)
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

// listed pairs something to show with the key it is paged by.
type listed[T any] struct {
	key  string
	show T
}

func keyOf[T any](l listed[T]) string { return l.key }

// commandsOf walks commands, the newest first; one alone where its id is given.
func commandsOf(tx *bbolt.Tx, id string, do func(key string, c command) error) error {
	for _, key := range keysOf(tx, inCommandTimes, "") {
		own := key[strings.IndexByte(key, '/')+1:]
		if id != "" && own != id {
			continue
		}
		c, ok, err := fetch[command](tx, inCommands, own)
		if err == nil && ok {
			err = do(key, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func listCommands(c *call) (any, error) {
	var in listInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := c.region.settle(); err != nil {
		return nil, err
	}
	var all []listed[commandShown]
	err := c.region.db.View(func(tx *bbolt.Tx) error {
		return commandsOf(tx, in.CommandId, func(key string, cmd command) error {
			s := cmd.shown()
			if _, here := cmd.Standing[in.InstanceId]; (in.InstanceId == "" || here) && in.passes(cmd, s.Status, ended(s.Status)) {
				all = append(all, listed[commandShown]{key, s})
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(in.paging, all, 50, keyOf)
	return struct {
		Commands  []commandShown
		NextToken string `json:",omitempty"`
	}{shownOf(some), next}, err
}

func shownOf[T any](some []listed[T]) []T {
	out := make([]T, len(some))
	for i, l := range some {
		out[i] = l.show
	}
	return out
}

func listCommandInvocations(c *call) (any, error) {
	var in listInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := c.region.settle(); err != nil {
		return nil, err
	}
	all, err := c.region.invocations(in)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(in.paging, all, 50, keyOf)
	return struct {
		CommandInvocations []invocationShown
		NextToken          string `json:",omitempty"`
	}{shownOf(some), next}, err
}

func (r *Region) invocations(in listInput) (all []listed[invocationShown], err error) {
	now := r.now()
	err = r.db.View(func(tx *bbolt.Tx) error {
		return commandsOf(tx, in.CommandId, func(key string, cmd command) error {
			for _, id := range slices.Sorted(slices.Values(cmd.Order)) {
				if in.InstanceId != "" && in.InstanceId != id {
					continue
				}
				n, _, err := fetch[registration](tx, inNodes, id)
				if err != nil {
					return err
				}
				if s := cmd.standingOf(n, now); !in.passes(cmd, s.Status, s.final()) {
					continue
				}
				inv, _, err := fetch[invocation](tx, inInvocations, cmd.ID+"/"+id)
				if err != nil {
					return err
				}
				all = append(all, listed[invocationShown]{key + "/" + id, cmd.shownAt(n, inv, in.Details, now)})
			}
			return nil
		})
	})
	return all, err
}
