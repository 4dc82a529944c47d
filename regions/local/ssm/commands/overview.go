package commands

import (
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
)

// Overview is a command with where each of its nodes stands, without what they answered.
type Overview struct {
	ID             string
	Document       string
	Version        string // as asked for
	Comment        string
	Parameters     map[string][]string // as asked for
	Requested      time.Time
	Status         string // the SDK's type CommandStatus
	Details        string
	Over           bool // the status never changes again
	MaxConcurrency string
	MaxErrors      string
	Nodes          []Stand // in the order they are served
}

// Stand is where one node stands.
type Stand struct {
	Instance string
	Name     string // of the machine, as it said itself; "" before it did
	Status   string
	Details  string
	Sent     bool // its message was put into its mailbox
	Over     bool
	Finished time.Time // zero in lists, and until it is over
}

// Recent are the newest commands, at most n.
func (tr *Tracker) Recent(n int) (all []Overview, err error) {
	if err := tr.Settle(); err != nil {
		return nil, err
	}
	now := tr.now()
	err = tr.records.View(func(tx *records.Tx) error {
		return eachNewest(tx, n, func(cmd command) error {
			o, err := cmd.overview(tx, now)
			all = append(all, o)
			return err
		})
	})
	return all, err
}

// Overview is one command. Error: InvalidCommandId.
func (tr *Tracker) Overview(id string) (o Overview, err error) {
	if err := tr.Settle(); err != nil {
		return o, err
	}
	err = tr.records.View(func(tx *records.Tx) error {
		cmd, ok, err := records.Fetch[command](tx, commandsTable, id)
		if err != nil || !ok {
			return protocol.NotFound(err, protocol.Refuse("InvalidCommandId", "There is no command %s.", id))
		}
		if o, err = cmd.overview(tx, tr.now()); err != nil {
			return err
		}
		for i, s := range o.Nodes {
			inv, _, err := records.Fetch[invocation](tx, invocationsTable, id+"/"+s.Instance)
			if err != nil {
				return err
			}
			o.Nodes[i].Finished = inv.Finished
		}
		return nil
	})
	return o, err
}

// eachNewest reads the n newest commands.
func eachNewest(tx *records.Tx, n int, do func(command) error) error {
	var ids []string
	c := records.Seek(tx, timesTable, "")
	for key, ok := c.Key(); ok && len(ids) < n; key, ok = c.Key() {
		ids = append(ids, key[len(records.NewestFirst(0))+1:])
		c.Next()
	}
	for _, id := range ids {
		cmd, ok, err := records.Fetch[command](tx, commandsTable, id)
		if err == nil && ok {
			err = do(cmd)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c command) overview(tx *records.Tx, now time.Time) (Overview, error) {
	o := Overview{ID: c.ID, Document: c.Document, Version: c.DocumentVersion, Comment: c.Comment, Parameters: c.Parameters,
		Requested: c.Requested, MaxConcurrency: c.MaxConcurrency, MaxErrors: c.MaxErrors}
	o.Status, o.Details = c.status()
	o.Over = ended(o.Status)
	for _, id := range c.Order {
		n, err := nodes.Named(tx, id)
		if err != nil {
			return o, err
		}
		s := c.standingOf(n, now)
		o.Nodes = append(o.Nodes, Stand{Instance: id, Name: n.Ping.ComputerName, Status: s.Status, Details: s.Details, Sent: s.Sent,
			Over: s.final()})
	}
	return o, nil
}
