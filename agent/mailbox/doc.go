// Package mailbox is where jobs come in and answers go out. A [Lane] is one service that carries both; [Table] lists them: the control
// channel of ssmmessages, and ec2messages, which is polled.
//
// Parties: a lane talks to its service and keeps to that service's manners (what is replied, what is acknowledged, in which
// order: docs/protocol/runcommand.md, "Handling one MDS message", "Handling one agent_job"); the queue behind it, an [Accept] handed in,
// alone decides what a message is worth. Its errors are the lanes' vocabulary: [ErrDuplicate], [ErrFull], [ErrClosed], [ErrUnreadable],
// [*Rejected]. The journal behind the queue knows a message whatever lane brought it.
//
// # Which lane
//
// The channel is opened where [Options].Channel asks for it; the programs on hosts do not ask yet. Then both are opened at the start.
// Polls go on for a minute beside a channel that was opened, rest while it is open, and begin again at once
// when it is lost: the service brings commands by them then (docs/protocol/runcommand.md, "MDS or MGS?"; the original polls again only
// where the channel is denied). A region without channels is asked for one now and then, ever more rarely. An answer goes by the lane by
// which its command came: what a lost channel owes is kept and sent when it is back.
//
// The reason for which a command is rejected goes over both lanes; the original keeps it to itself on ssmmessages. A reply too long for
// ssmmessages (120,000 bytes) is shortened; the original keeps it and never gets it through.
//
// What must always be true:
//
//   - a message is acknowledged only after the queue has it on disk; one that no disk took ([*Unkept]) begins only after
//     the service took its acknowledgement;
//
//   - the first InProgress of a command is out (or kept) before any later reply about it: [Lane].Reply waits for it;
//
//   - replies about a message go out in the order they were made, and one that the service refuses holds up no other;
//
//   - a reply the service did not take lies in <data>/<id>/replies (ec2messages) or replies_mgs (ssmmessages) until it did, at most two
//     hours, under the id it was first sent with (docs/protocol/runcommand.md, "Failed replies (MDS)", "Delivering results");
//
//   - the control channel is read on whatever the queue does, and a cancel waits for no command;
//
//   - a command that the queue has no place for (it has 10,000) stays with ec2messages' lane, unacknowledged and in order, and
//     polling stops until it has one: what would be fetched meanwhile could only be dropped. A cancel of the same poll gets
//     through. (The original stands still from the eleventh command on.)
//
//     lane.go         the type and its words
//     table.go        what is known of every lane: one row each
//     ec2messages.go  the lane: what is done with each message
//     ssmmessages.go  the other lane: what is done with each frame; line.go: frames that wait to be offered
//     channelreplies.go  its replies: sent until acknowledged, kept; updatereplies.go: those of an updater
//     handover.go     what the lanes know of each other
//     poll.go         the long poll, its pauses, the counting of errors
//     held.go         commands waiting for a place
//     replies.go      replies the service did not take yet
package mailbox
