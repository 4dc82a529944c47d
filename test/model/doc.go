// Package model explores what can happen to an update: every kill and every power cut, before every step that changes the disk, and from
// each of them on to the rest that the machine comes to. What is explored is the product's own code.
//
// # How the real code gets in
//
// [Overlay] hands the rooms of an update ([rooms]: store, pointer, launcher, ledger, updater, …) to `go build -overlay` with package os
// replaced by test/model/disk, a disk in memory that can lose what was not synced, and with the clock, locks and processes of
// test/model/explorer's machine. So no room has a door for it, the launcher stays as small as it is, and nothing that a release runs
// differs. A door in the rooms would have cost each call of package os a parameter; a log of calls on a real disk would have needed one,
// too. Played are: service manager, package manager, agent (beats, pings, updater.Due), region, the sender of the command.
//
// # States
//
// A state is what lies on the disk, which outlives a power cut, and what the sender was told. From each the service starts, and the
// machine lives, on a clock that jumps from one process's turn to the next, until it is at rest. Steps are the calls that change the
// disk or sync, an answer sent, an agent asked to leave; of launcher, agent, updaters, package manager.
//
// # Faults
//
//   - a power cut before any step, with every subset of the changes that are not certain lost (of more than four: nothing and all, each
//     alone lost and each alone kept, all before and all from each on), and each write torn behind each of its lines; test/model/disk says
//     what is certain when;
//   - before any step: a kill of the process that makes it, of the agent, of the launcher (its agent then leaves, and the service manager
//     starts another), and a stop of that process for 70 s, in which the others go on.
//
// What happens: an update to a release that is good, dies at once, dies after 20 s, dies after 60 s (once it is confirmed), reaches no
// service, does not beat; a rollback; a second update, good and dead; a package beside an overlay, good and dead; a dead package alone.
//
// # What must hold
//
//   - At rest an agent of a sound version runs; pointer, record and machine name the same one; no trial, no open update, no owed answer.
//   - The command that was taken was answered, and every answer says what the record says. What failed here is blocked and does not run.
//   - A sound version that was asked for is confirmed where no more than one fault came.
//   - At every start on trial a token more is gone for certain; none is started on trial again that ended by its own doing. None at all is
//     started that is blocked, but where the pointer still puts it first, after a power cut between record and pointer.
//
// # Bound
//
// CI takes one fault in a history, of some scenarios; `make model-long` one of all of them, and two of the shorter ones. The log
// docs/proof/model.log has how many states that is. Two things count as the same: times of day, and process ids. A minute passes between
// a power cut and the next boot.
//
// # Rules
//
// [Rules] names the rules of store, launcher and detection. Each can be taken away, at the very place in the code that obeys it, and a
// test shows for each that the explorer then finds a history that ends badly. A row that no longer finds its place is a failure: change it
// with the code. Not among them is the update lock: without it every history that was looked at ends well all the same, for a pointer is
// replaced only by an updater that names its sequence.
package model
