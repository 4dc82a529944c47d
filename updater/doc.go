// Package updater exchanges the agent of a machine for another version, and back when the new one does not prove itself.
//
// # Parties
//
//   - The updater is a process of the old version, in a session of its own. It talks to no service by itself: a Source, a
//     Reporter and a Probe are handed in as functions. It never imports the agent, so that a broken agent cannot break it.
//   - The agent (or ssm-setup) hands a [ledger.Request] over with [Start] or [Launch] and is told at once whether it was taken.
//   - The launcher keeps starting whatever the pointer says; an update is one write of that pointer (installer/store).
//
// # Files it owns
//
//	<download>/update/            packages, named by their SHA-256, and the parts of unfinished ones
//	<data>/update.lock            the pid lock shared with original agents (docs/protocol/update.md, "The update lock"); lock/update is ours
//
// # What must always be true
//
//   - Every stop is in the ledger, synced, before it acts. Whenever the updater dies, [Engine.Resume] finds either a pointer
//     not yet replaced (it goes on, or undoes) or a replaced one, whose sequence decides: on probation it watches, else it
//     finishes. There is no third way.
//   - Only what [verify] returned can be staged, only what states its version and passes its self-test can be switched to.
//   - The sender of a request gets one final answer. What cannot be sent is owed in the ledger, and thrown away under another instance id.
//
// The record of an update and the requests that wait for one are a room of their own: updater/ledger.
//
// engine.go is the list of the eight stops; each has a file of its own name. The rules of the seventh, whether a version proved itself,
// are a room of their own: updater/watch.
package updater
