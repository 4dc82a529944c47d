// Package ledger is the record of updates on a host: the one under way, the last one, and what they left to remember. It also holds the
// requests that were handed over and are in no record yet.
//
// # Parties
//
//   - The updater that holds the update lock writes the ledger ([Open], [File.Save]) before each stop acts.
//   - The agent, ssm-setup and other updaters read it ([Read]), also while it is written.
//   - Whichever program wants an update puts a [Request] into its folder ([Deposit]) before it starts an updater.
//
// # Files it owns
//
//	<data>/ledger                 two slots of fixed size, written in turn, each with its checksum
//	<data>/decisions              the last 50 decisions as JSON ([NoteDecision]), written whole; losing it loses no safety
//	<update root>/ask/<id>.json   requests handed over and not yet in the ledger; <id>.next: taken for later
//
// # What must always be true
//
//   - The file has its full size from the start, so that a record can be written where no block is free.
//   - A power cut tears at most the slot that is being written; the other one holds the record of before.
//   - What is answered and what is recorded agree, whatever half of a write failed ([File.Enter]).
//   - Members are only ever added; those that this version does not know are kept.
package ledger
