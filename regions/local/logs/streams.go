package logs

import (
	"fmt"
	"slices"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

const streamsMost = 10000 // of a group

func (l *Logs) createStream(c *protocol.Call) (any, error) {
	var in struct{ LogGroupName, LogStreamName string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	var k protocol.Check
	checkGroup(&k, in.LogGroupName)
	checkStream(&k, in.LogStreamName)
	if err := k.Err(); err != nil {
		return nil, invalid(err)
	}
	return nil, l.records.Update(func(tx *records.Tx) error {
		_, streams, err := groupOf(tx, in.LogGroupName)
		switch {
		case err != nil:
			return err
		case records.Has(tx, streams, in.LogStreamName):
			return protocol.Refuse("ResourceAlreadyExistsException", "The specified log stream already exists")
		case records.Count(tx, streams) >= streamsMost:
			return protocol.Refuse("LimitExceededException", "This region keeps at most %d streams of a log group.", streamsMost)
		}
		id, err := records.Number(tx, streamsTable)
		if err == nil {
			err = records.Make(tx, records.Part(eventsTable, id))
		}
		if err != nil {
			return err
		}
		return records.Save(tx, streams, in.LogStreamName, stream{Name: in.LogStreamName, ID: id, Created: l.now(), Node: c.Caller.InstanceID})
	})
}

func (l *Logs) deleteStream(c *protocol.Call) (any, error) {
	var in struct{ LogGroupName, LogStreamName string }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return nil, l.records.Update(func(tx *records.Tx) error {
		_, streams, err := groupOf(tx, in.LogGroupName)
		if err != nil {
			return err
		}
		return dropStream(tx, streams, in.LogStreamName)
	})
}

// dropStream removes a stream with its events.
func dropStream(tx *records.Tx, streams, name string) error {
	_, events, err := streamOf(tx, streams, name)
	if err == nil {
		err = records.Drop(tx, events)
	}
	if err != nil {
		return err
	}
	return records.Remove(tx, streams, name)
}

// shownStream is the SDK's type LogStream.
type shownStream struct {
	Name     string `json:"logStreamName"`
	Created  int64  `json:"creationTime"`
	First    *int64 `json:"firstEventTimestamp,omitempty"`
	Last     *int64 `json:"lastEventTimestamp,omitempty"`
	Ingested *int64 `json:"lastIngestionTime,omitempty"`
	Token    string `json:"uploadSequenceToken"`
	ARN      string `json:"arn"`
	Bytes    int64  `json:"storedBytes"`
}

func (l *Logs) shownStream(group string, s stream) shownStream {
	out := shownStream{Name: s.Name, Created: millis(s.Created), Token: s.ID, ARN: l.arn(group) + ":log-stream:" + s.Name, Bytes: s.Bytes}
	if s.Last != 0 {
		first, last, ingested := s.First, s.Last, millis(s.Ingested)
		out.First, out.Last, out.Ingested = &first, &last, &ingested
	}
	return out
}

func (l *Logs) describeStreams(c *protocol.Call) (any, error) {
	var in struct {
		LogGroupName, LogGroupIdentifier, LogStreamNamePrefix, OrderBy, NextToken string
		Descending                                                                bool
		Limit                                                                     *int
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	in.LogGroupName = l.nameOf(in.LogGroupName, in.LogGroupIdentifier)
	var k protocol.Check
	checkGroup(&k, in.LogGroupName)
	k.OneOf("orderBy", in.OrderBy, "LogStreamName", "LastEventTime")
	k.Number("limit", in.Limit, 1, 50)
	if in.OrderBy == "LastEventTime" && in.LogStreamNamePrefix != "" {
		k.Fail("logStreamNamePrefix", "'"+in.LogStreamNamePrefix+"'", "Member must be null where orderBy is LastEventTime")
	}
	if err := k.Err(); err != nil {
		return nil, invalid(err)
	}
	var all []protocol.Keyed[shownStream]
	err := l.records.View(func(tx *records.Tx) error {
		_, streams, err := groupOf(tx, in.LogGroupName)
		if err != nil {
			return err
		}
		return records.Each(tx, streams, in.LogStreamNamePrefix, func(name string, s stream) bool {
			key := name
			if in.OrderBy == "LastEventTime" {
				key = records.Sortable(s.Last) + "/" + name
			}
			all = append(all, protocol.Keyed[shownStream]{Key: key, Item: l.shownStream(in.LogGroupName, s)})
			return false
		})
	})
	if err != nil {
		return nil, err
	}
	sortKeyed(all, in.Descending)
	var out struct {
		Streams []shownStream `json:"logStreams"`
		Next    string        `json:"nextToken,omitempty"`
	}
	out.Streams, out.Next, err = protocol.CutKeyed(protocol.Paging{MaxResults: in.Limit, NextToken: in.NextToken}, all, 50)
	return out, invalid(err)
}

// sortKeyed sorts a list by its keys; downwards, the keys are numbered anew, so that pages follow the order.
func sortKeyed[T any](all []protocol.Keyed[T], down bool) {
	slices.SortFunc(all, func(a, b protocol.Keyed[T]) int { return compare(a.Key, b.Key, down) })
	if down {
		for i := range all {
			all[i].Key = fmt.Sprintf("%08d", i)
		}
	}
}

func compare(a, b string, down bool) int {
	if down {
		a, b = b, a
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
