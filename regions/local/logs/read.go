package logs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

const pageBytes = 1 << 20 // of one answer, about

// place is where an event lies.
type place struct {
	key    string // time and number: the order of all events
	stream string
	events string
}

// timeOf and numberOf take a key apart.
func timeOf(key string) int64 {
	n, _ := strconv.ParseInt(key[:16], 16, 64)
	return n
}

// idOf is the id of an event: 56 digits, as the service's.
func idOf(key string) string {
	n, _ := strconv.ParseUint(key[17:], 16, 64)
	return fmt.Sprintf("%056d", n)
}

// within are the places of a stream's events from one time to before another, both ms since 1970; 0 is no limit.
func (l *Logs) within(tx *records.Tx, g group, s stream, from, to int64) (all []place) {
	events := records.Part(eventsTable, s.ID)
	c := records.Seek(tx, events, records.Sortable(max(from, l.keptFrom(g), 0)))
	for key, ok := c.Key(); ok && (to == 0 || timeOf(key) < to); key, ok = c.Key() {
		all = append(all, place{key, s.Name, events})
		c.Next()
	}
	return all
}

// shownEvent is the SDK's types OutputLogEvent and FilteredLogEvent.
type shownEvent struct {
	Stream    string `json:"logStreamName,omitempty"`
	Timestamp int64  `json:"timestamp"`
	Message   string `json:"message"`
	Ingested  int64  `json:"ingestionTime"`
	ID        string `json:"eventId,omitempty"`
}

func (p place) read(tx *records.Tx) (shownEvent, error) {
	e, _, err := records.Fetch[event](tx, p.events, p.key)
	return shownEvent{Timestamp: timeOf(p.key), Message: e.Message, Ingested: e.Ingested}, err
}

type getInput struct {
	LogGroupName, LogGroupIdentifier, LogStreamName, NextToken string
	StartTime, EndTime                                         int64
	Limit                                                      *int
	StartFromHead                                              bool
}

func (l *Logs) getEvents(c *protocol.Call) (any, error) {
	var in getInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	in.LogGroupName = l.nameOf(in.LogGroupName, in.LogGroupIdentifier)
	var k protocol.Check
	checkGroup(&k, in.LogGroupName)
	checkStream(&k, in.LogStreamName)
	k.Number("limit", in.Limit, 1, eventsMost)
	if err := k.Err(); err != nil {
		return nil, invalid(err)
	}
	direction, at, ok := strings.Cut(in.NextToken, "/")
	if in.NextToken != "" && (!ok || direction != "f" && direction != "b") {
		return nil, protocol.Refuse("InvalidParameterException", "The specified nextToken is invalid.")
	}
	out := struct {
		Events   []shownEvent `json:"events"`
		Forward  string       `json:"nextForwardToken"`
		Backward string       `json:"nextBackwardToken"`
	}{Events: []shownEvent{}}
	return &out, l.records.View(func(tx *records.Tx) error {
		g, streams, err := groupOf(tx, in.LogGroupName)
		if err != nil {
			return err
		}
		s, _, err := streamOf(tx, streams, in.LogStreamName)
		if err != nil {
			return err
		}
		all := l.within(tx, g, s, in.StartTime, in.EndTime)
		all, back := page(all, direction, at, in.StartFromHead)
		first, last := at, at
		if back {
			slices.Reverse(all)
		}
		for i, bytes := 0, 0; i < len(all) && bytes < pageBytes && (in.Limit == nil || i < *in.Limit) && i < eventsMost; i++ {
			e, err := all[i].read(tx)
			if err != nil {
				return err
			}
			bytes += len(e.Message) + eventExtra
			out.Events = append(out.Events, e)
			if i == 0 {
				first = all[i].key
			}
			last = all[i].key
		}
		if back {
			slices.Reverse(out.Events)
			first, last = last, first
		}
		out.Forward, out.Backward = "f/"+last, "b/"+first
		return nil
	})
}

// page is the part of all events that a token leads to; back tells that the page is at its end.
func page(all []place, direction, at string, head bool) (part []place, back bool) {
	behind, _ := slices.BinarySearchFunc(all, at, func(p place, key string) int { return cmp.Compare(p.key, key) })
	switch direction {
	case "f":
		if behind < len(all) && all[behind].key == at {
			behind++
		}
		return all[behind:], false
	case "b":
		return all[:behind], true
	}
	return all, !head
}

type filterInput struct {
	LogGroupName, LogGroupIdentifier, LogStreamNamePrefix, FilterPattern, NextToken string
	LogStreamNames                                                                  []string
	StartTime, EndTime                                                              int64
	Limit                                                                           *int
}

func (l *Logs) filterEvents(c *protocol.Call) (any, error) {
	var in filterInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	in.LogGroupName = l.nameOf(in.LogGroupName, in.LogGroupIdentifier)
	var k protocol.Check
	checkGroup(&k, in.LogGroupName)
	k.Number("limit", in.Limit, 1, eventsMost)
	k.Most("logStreamNames", len(in.LogStreamNames), 100)
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != "" {
		k.Fail("logStreamNamePrefix", "'"+in.LogStreamNamePrefix+"'", "Member must be null beside logStreamNames")
	}
	if err := k.Err(); err != nil {
		return nil, invalid(err)
	}
	matches, err := readPattern(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	out := struct {
		Events   []shownEvent `json:"events"`
		Searched []struct{}   `json:"searchedLogStreams"`
		Next     string       `json:"nextToken,omitempty"`
	}{Events: []shownEvent{}, Searched: []struct{}{}}
	return &out, l.records.View(func(tx *records.Tx) error {
		all, err := l.inGroup(tx, in)
		if err != nil {
			return err
		}
		bytes := 0
		for _, p := range all {
			if in.NextToken != "" && p.key <= in.NextToken {
				continue
			}
			if bytes >= pageBytes || in.Limit != nil && len(out.Events) >= *in.Limit || len(out.Events) >= eventsMost {
				return nil
			}
			e, err := p.read(tx)
			if err != nil {
				return err
			}
			out.Next = p.key
			if matches(e.Message) {
				bytes += len(e.Message) + eventExtra
				e.Stream, e.ID = p.stream, idOf(p.key)
				out.Events = append(out.Events, e)
			}
		}
		out.Next = ""
		return nil
	})
}

// inGroup are the places of the events in the wanted streams of a group, in order.
func (l *Logs) inGroup(tx *records.Tx, in filterInput) (all []place, err error) {
	g, streams, err := groupOf(tx, in.LogGroupName)
	if err != nil {
		return nil, err
	}
	for _, name := range in.LogStreamNames {
		if _, _, err := streamOf(tx, streams, name); err != nil {
			return nil, err
		}
	}
	err = records.Each(tx, streams, in.LogStreamNamePrefix, func(name string, s stream) bool {
		if in.LogStreamNames == nil || slices.Contains(in.LogStreamNames, name) {
			all = append(all, l.within(tx, g, s, in.StartTime, in.EndTime)...)
		}
		return false
	})
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.key, b.key) })
	return all, err
}
