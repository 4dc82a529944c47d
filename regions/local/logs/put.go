package logs

import (
	"math"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// Limits of PutLogEvents (the service's quotas), and of what a group may hold here.
const (
	eventExtra = 26        // bytes that each event counts for besides its message
	eventMost  = 256 << 10 // bytes of an event
	batchMost  = 1 << 20   // bytes of a batch
	eventsMost = 10000     // of a batch
	tooNew     = 2 * time.Hour
	tooOld     = 14 * 24 * time.Hour
	groupMost  = 64 << 20 // bytes
)

type putInput struct {
	LogGroupName, LogStreamName, SequenceToken string
	LogEvents                                  []struct {
		Timestamp *int64
		Message   string
	}
}

func (in putInput) check() error {
	var k protocol.Check
	checkGroup(&k, in.LogGroupName)
	checkStream(&k, in.LogStreamName)
	if len(in.LogEvents) == 0 {
		k.Fail("logEvents", "'[]'", "Member must have length greater than or equal to 1")
	}
	k.Most("logEvents", len(in.LogEvents), eventsMost)
	sum := 0
	for _, e := range in.LogEvents {
		if e.Timestamp == nil || *e.Timestamp < 0 {
			k.Fail("logEvents.member.timestamp", "null", "Member must not be null or negative")
			break
		}
		k.Required("logEvents.member.message", e.Message)
		sum += len(e.Message) + eventExtra
	}
	if err := k.Err(); err != nil {
		return invalid(err)
	}
	first, last := *in.LogEvents[0].Timestamp, int64(0)
	for _, e := range in.LogEvents {
		switch {
		case len(e.Message)+eventExtra > eventMost:
			return protocol.Refuse("InvalidParameterException", "Log event too large: %d bytes exceeds limit of %d",
				len(e.Message)+eventExtra, eventMost)
		case *e.Timestamp < last:
			return protocol.Refuse("InvalidParameterException", "Log events in a single PutLogEvents request must be in chronological order.")
		}
		last = *e.Timestamp
	}
	switch {
	case sum > batchMost:
		return protocol.Refuse("InvalidParameterException", "Upload too large: %d bytes exceeds limit of %d", sum, batchMost)
	case last-first > 24*time.Hour.Milliseconds():
		return protocol.Refuse("InvalidParameterException", "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// rejected is the SDK's type RejectedLogEventsInfo: where the events begin or end that are kept nowhere.
type rejected struct {
	TooNew  *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOld  *int `json:"tooOldLogEventEndIndex,omitempty"`
	Expired *int `json:"expiredLogEventEndIndex,omitempty"`
}

func (l *Logs) putEvents(c *protocol.Call) (any, error) {
	var in putInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	var out struct {
		Next     string    `json:"nextSequenceToken"`
		Rejected *rejected `json:"rejectedLogEventsInfo,omitempty"`
	}
	return &out, l.records.Update(func(tx *records.Tx) error {
		g, streams, err := groupOf(tx, in.LogGroupName)
		if err != nil {
			return err
		}
		s, events, err := streamOf(tx, streams, in.LogStreamName)
		if err != nil {
			return err
		}
		if who := c.Caller.InstanceID; who != "" && s.Node != who {
			return protocol.Deny("The log stream " + s.Name + " is another writer's.")
		}
		for i, e := range in.LogEvents {
			if l.reject(&out.Rejected, g, i, *e.Timestamp) {
				continue
			}
			number, err := records.Number(tx, eventsTable)
			if err != nil {
				return err
			}
			key := records.Sortable(*e.Timestamp) + "/" + number
			if err := records.Save(tx, events, key, event{e.Message, millis(l.now())}); err != nil {
				return err
			}
			s.took(*e.Timestamp, len(e.Message))
		}
		s.Ingested, out.Next = l.now(), s.ID
		if err := l.expire(tx, g, &s, events); err != nil {
			return err
		}
		if err := records.Save(tx, streams, s.Name, s); err != nil {
			return err
		}
		return makeRoom(tx, streams, s)
	})
}

func (s *stream) took(at int64, bytes int) {
	if s.First == 0 || at < s.First {
		s.First = at
	}
	s.Last = max(s.Last, at)
	s.Bytes += int64(bytes) + eventExtra
}

// reject notes an event that the service does not take for its time.
func (l *Logs) reject(r **rejected, g group, i int, at int64) bool {
	now := millis(l.now())
	oldest := now - tooOld.Milliseconds()
	kind := func(r *rejected) {
		if i++; r.TooOld == nil || *r.TooOld < i {
			r.TooOld = &i
		}
	}
	switch {
	case at > now+tooNew.Milliseconds():
		kind = func(r *rejected) {
			if r.TooNew == nil {
				r.TooNew = &i
			}
		}
	case at < l.keptFrom(g):
		kind = func(r *rejected) { i++; r.Expired = &i }
	case at >= oldest:
		return false
	}
	if *r == nil {
		*r = &rejected{}
	}
	kind(*r)
	return true
}

// keptFrom is the time of the oldest events that a group keeps, ms since 1970.
func (l *Logs) keptFrom(g group) int64 {
	if g.Retention == 0 {
		return math.MinInt64
	}
	return millis(l.now().AddDate(0, 0, -g.Retention))
}

// expire removes what the group's retention no longer keeps of a stream.
func (l *Logs) expire(tx *records.Tx, g group, s *stream, events string) error {
	if g.Retention == 0 || s.First >= l.keptFrom(g) {
		return nil
	}
	limit := records.Sortable(l.keptFrom(g))
	return s.forget(tx, events, func(key string) bool { return key < limit })
}

// forget removes the oldest events of a stream as long as old says so.
func (s *stream) forget(tx *records.Tx, events string, old func(key string) bool) error {
	for _, key := range records.Keys(tx, events, "") {
		if !old(key) {
			s.First = timeOf(key)
			return nil
		}
		e, _, err := records.Fetch[event](tx, events, key)
		if err == nil {
			err = records.Remove(tx, events, key)
		}
		if err != nil {
			return err
		}
		s.Bytes -= int64(len(e.Message)) + eventExtra
	}
	s.First, s.Last = 0, 0
	return nil
}

// makeRoom keeps a group below its bound: streams whose last event is oldest go, last the oldest events of the one that grew.
func makeRoom(tx *records.Tx, streams string, grew stream) error {
	for sum := groupBytes(tx, streams); sum > groupMost; {
		oldest := grew
		err := records.Each(tx, streams, "", func(_ string, s stream) bool {
			if s.Name != grew.Name && (oldest.Name == grew.Name || s.Last < oldest.Last) {
				oldest = s
			}
			return false
		})
		if err != nil {
			return err
		}
		if oldest.Name == grew.Name {
			need := sum - groupMost
			before := grew.Bytes
			if err := grew.forget(tx, records.Part(eventsTable, grew.ID), func(string) bool { return before-grew.Bytes < need }); err != nil {
				return err
			}
			return records.Save(tx, streams, grew.Name, grew)
		}
		if err := dropStream(tx, streams, oldest.Name); err != nil {
			return err
		}
		sum -= oldest.Bytes
	}
	return nil
}
