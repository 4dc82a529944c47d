// Package commands is the part of ssm that sends commands to nodes and follows them to their end.
//
//	tracker.go     the operations of this part
//	send.go        SendCommand: checked, written down, put into mailboxes; targets.go which nodes
//	commands.go    the records, and how a command is judged from where its nodes stand
//	progress.go    what is sent next, what an acknowledgement or a refusal changes
//	reply.go       what a reply changes; cancel.go, settle.go: what a cancel and the clock change
//	invocation.go  GetCommandInvocation; list.go and show.go the lists and the SDK's types
//	connection.go  GetConnectionStatus
//	inspect.go     the same for programs in this process; kept.go where the output of a step lies
//
// A command reaches its nodes through the mailbox; the lane that brings it (ec2messages, ssmmessages) reports back: [Tracker.Started],
// [Tracker.Undeliverable], [Tracker.Reply].
//
// It owns the tables of records "ssm.commands", "ssm.command-times", "ssm.invocations", "ssm.replies", "ssm.reply-ids",
// "ssm.deadlines" and "messages.cancels".
//
// What must always be true: a final status never moves back; no more nodes than MaxConcurrency run a command at once; a reply
// counts once. Facts: docs/protocol/runcommand.md, "ec2messages", "Health ping and hibernation", "Results and output"; the
// SDK's types.
package commands

import (
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
)

// Tables of records.
const (
	commandsTable    = "ssm.commands"      // command id
	timesTable       = "ssm.command-times" // inverted time of the request / command id
	invocationsTable = "ssm.invocations"   // command id / node id
	repliesTable     = "ssm.replies"       // command id / node id / number
	replyIDsTable    = "ssm.reply-ids"     // reply id → message id
	deadlinesTable   = "ssm.deadlines"     // time / command id
	cancelsTable     = "messages.cancels"  // message id of a cancel → message id of what it cancels
)

// Tracker is every command of a region.
type Tracker struct {
	records   *records.Store
	now       func() time.Time
	documents *documents.Repository
	mail      *mailbox.Mailbox
	url       func(bucket, key string) string
}

// Open opens the commands of a region; now is the region's time, url gives the address of an object, "" where there is none.
func Open(store *records.Store, now func() time.Time, docs *documents.Repository, mail *mailbox.Mailbox,
	url func(bucket, key string) string) (*Tracker, error) {
	return &Tracker{store, now, docs, mail, url},
		store.Prepare(commandsTable, timesTable, invocationsTable, repliesTable, replyIDsTable, deadlinesTable, cancelsTable)
}

// Operations are the rows of ssm that concern commands.
func (tr *Tracker) Operations() protocol.Operations {
	return protocol.Operations{
		"SendCommand":            {Allow: protocol.Administrator, Run: tr.sendCommand},
		"CancelCommand":          {Allow: protocol.Administrator, Run: tr.cancelCommand},
		"ListCommands":           {Allow: protocol.Administrator, Run: tr.listCommands},
		"ListCommandInvocations": {Allow: protocol.Administrator, Run: tr.listCommandInvocations},
		"GetCommandInvocation":   {Allow: protocol.Administrator, Run: tr.getCommandInvocation},
		"GetConnectionStatus":    {Allow: protocol.Administrator, Run: tr.getConnectionStatus},
	}
}

// signalOf names the signal of a change of a command.
func signalOf(commandID string) string { return "command/" + commandID }

// nodeOf is the node a message id was made for.
func nodeOf(messageID string) string { return messageID[strings.LastIndexByte(messageID, '.')+1:] }
