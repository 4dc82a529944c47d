// Package logs is CloudWatch Logs of a local region: groups of streams of events, written by nodes and read by people
// (aws logs tail).
//
// It owns the tables of records "logs.groups" (name → group), "logs.streams" (one part per group: name → stream) and "logs.events"
// (one part per stream: time and number → event).
//
//	logs.go     the table of operations, the records        groups.go   groups and their retention
//	streams.go  streams                                     put.go      events on their way in, limits, room
//	read.go     events on their way out                     pattern.go  filter patterns
//
// What must always be true: an event that was accepted is on disk, and is read in the order of its time, then of its arrival; a group
// never holds more than a bound of bytes, the oldest streams go first; nodes write and do not read, and none writes into another's
// stream. Facts: docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs"; the SDK's types and the service's quotas.
package logs

import (
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
)

// Tables. Streams and events are parts: of their group, of their stream.
const (
	groupsTable  = "logs.groups"
	streamsTable = "logs.streams"
	eventsTable  = "logs.events"
)

// Target begins the header X-Amz-Target.
const target = "Logs_20140328"

// Logs are the groups of a region.
type Logs struct {
	region  string
	records *records.Store
	now     func() time.Time
}

// Open opens the logs of a region; now is the region's time.
func Open(region string, store *records.Store, now func() time.Time) (*Logs, error) {
	return &Logs{region, store, now}, store.Prepare(groupsTable, streamsTable, eventsTable)
}

// Service is the row of logs in the dispatch table.
func (l *Logs) Service(gate *protocol.Gate) protocol.Service {
	return gate.JSON("logs", target, protocol.Operations{
		"CreateLogGroup":        {Allow: protocol.NodeOrAdministrator, Run: l.createGroup},
		"DeleteLogGroup":        {Allow: protocol.Administrator, Run: l.deleteGroup},
		"DescribeLogGroups":     {Allow: protocol.NodeOrAdministrator, Run: l.describeGroups},
		"PutRetentionPolicy":    {Allow: protocol.Administrator, Run: l.putRetention},
		"DeleteRetentionPolicy": {Allow: protocol.Administrator, Run: l.deleteRetention},
		"ListTagsForResource":   {Allow: protocol.Administrator, Run: l.listTags},
		"CreateLogStream":       {Allow: protocol.NodeOrAdministrator, Run: l.createStream},
		"DeleteLogStream":       {Allow: protocol.Administrator, Run: l.deleteStream},
		"DescribeLogStreams":    {Allow: protocol.NodeOrAdministrator, Run: l.describeStreams},
		"PutLogEvents":          {Allow: protocol.NodeOrAdministrator, Run: l.putEvents},
		"GetLogEvents":          {Allow: protocol.Administrator, Run: l.getEvents},
		"FilterLogEvents":       {Allow: protocol.Administrator, Run: l.filterEvents},
	})
}

// group is the record of a log group.
type group struct {
	Name      string
	Created   time.Time
	Retention int               `json:",omitempty"` // days; 0: for good
	Tags      map[string]string `json:",omitempty"`
}

// stream is the record of a log stream.
type stream struct {
	Name        string
	ID          string // names its part of the events
	Created     time.Time
	Node        string `json:",omitempty"` // that made it; empty: the administrator
	First, Last int64  // time of events, ms since 1970; 0: there is none
	Ingested    time.Time
	Bytes       int64
}

// event is the record of an event. Its time and number are its key.
type event struct {
	Message  string
	Ingested int64 // ms since 1970
}

// arn names a group as the service does; streams of it end in ":*".
func (l *Logs) arn(name string) string {
	return "arn:" + regions.Partition(l.region) + ":logs:" + l.region + ":" + protocol.Account + ":log-group:" + name
}

// groupOf reads a group that must be there, and names the table of its streams.
func groupOf(tx *records.Tx, name string) (g group, streams string, err error) {
	g, ok, err := records.Fetch[group](tx, groupsTable, name)
	if err == nil && !ok {
		err = protocol.Refuse("ResourceNotFoundException", "The specified log group does not exist.")
	}
	return g, records.Part(streamsTable, name), err
}

// streamOf reads a stream that must be there, and names the table of its events.
func streamOf(tx *records.Tx, streams, name string) (s stream, events string, err error) {
	s, ok, err := records.Fetch[stream](tx, streams, name)
	if err == nil && !ok {
		err = protocol.Refuse("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	return s, records.Part(eventsTable, s.ID), err
}

// invalid turns what is wrong with a request into the service's own code for it.
func invalid(err error) error {
	var f protocol.Fault
	if errors.As(err, &f) && (f.Code == "ValidationException" || f.Code == "InvalidNextToken") {
		f.Code = "InvalidParameterException"
		return f
	}
	return err
}

// checkGroup checks the name of a group.
func checkGroup(k *protocol.Check, name string) {
	k.Required("logGroupName", name)
	k.Length("logGroupName", name, 1, 512)
	k.Form("logGroupName", name, `[\.\-_/#A-Za-z0-9]+`, func(s string) bool { return protocol.Only(s, ".-_/#") })
}

// checkStream checks the name of a stream.
func checkStream(k *protocol.Check, name string) {
	k.Required("logStreamName", name)
	k.Length("logStreamName", name, 1, 512)
	k.Form("logStreamName", name, `[^:*]*`, func(s string) bool { return !containsAny(s, ":*") })
}

func millis(t time.Time) int64 { return t.UnixMilli() }
