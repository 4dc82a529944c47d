// Package mailbox is where jobs come in and answers go out. A [Lane] is one service that carries both; [Table] lists them:
// ec2messages, polled, today.
//
// Parties: the lane talks to its service and keeps to that service's manners (what is replied, what is acknowledged, in which
// order: docs/protocol/runcommand.md, "Handling one MDS message"); the queue behind it, an [Accept] handed in, alone decides what a
// message is worth. Its errors are the lane's vocabulary: [ErrDuplicate], [ErrFull], [ErrClosed], [ErrUnreadable], [*Rejected].
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
//   - a reply the service did not take lies in <data>/<id>/replies until it did, at most two hours, under the id it was
//     first sent with (docs/protocol/runcommand.md, "Failed replies");
//
//   - a command that the queue has no place for (it has 10,000) stays with the lane, unacknowledged and in order, and
//     polling stops until it has one: what would be fetched meanwhile could only be dropped. A cancel of the same poll gets
//     through. (The original stands still from the eleventh command on.)
//
//     lane.go         the type and its words
//     table.go        what is known of every lane: one row each
//     ec2messages.go  the lane: what is done with each message
//     poll.go         the long poll, its pauses, the counting of errors
//     held.go         commands waiting for a place
//     replies.go      replies the service did not take yet
package mailbox
