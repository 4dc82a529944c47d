// Package journal keeps the jobs that were accepted and not yet answered. What it holds survives a crash, an update of
// the agent and a power cut; what it no longer holds was answered. It also remembers for half an hour which commands
// were received, so that none runs twice.
//
// Files it owns, under <data>/<short instance id> (docs/protocol/runcommand.md, "State tree"; folders 0700, files 0600):
//
//	document/state/pending/<id>    accepted, waits for its turn
//	document/state/current/<id>    runs, or waits for a reboot
//	document/state/corrupt/<id>    given up; kept for people
//	document/state/completed/      emptied at every start, as the original does; never used
//	document/orchestration/<id>/   made and filled by the worker
//	channels/<id>/                 the worker's folder (agent/runner)
//	idempotency/SendCommand/<id>/, idempotency/CancelComamnd/<id>/   received; the misspelling is the original's
//
// While the disk takes nothing, up to five jobs with scripts of at most 64 KiB are kept in memory (memory.go), until the next boot, in
// /run/ssm-setup/<short instance id> (for an account that is not root: in its own folder below /run/user; elsewhere than on Linux not
// at all; folders 0700):
//
//	pending/<id>, current/<id>, channels/<id>/   as on disk
//	cancel/<id>       an order to stop a command whose own folder takes no file
//	scratch/<id>/     scripts of these jobs, and those of others that the disk did not take
//	answered/<id>/    answered, and the disk does not let the state file go: not run again in this boot. No place that survives a
//	                  reboot takes a note then: a disk that is writable again after one still has the job, and it runs
//
// <id> is the command id. A state file has the shape of the original's (job.go), so either agent can read what the
// other left; what ours needs besides stands under the key SsmSetup, and unknown members are kept.
//
// What must always be true:
//   - a job is on disk, whole and synced, before [Journal.Accept] returns, and only then marked as received: a crash
//     between the two makes a duplicate that is recognised, never a command that is lost;
//   - a file is replaced whole or not at all;
//   - a job is in one place, on disk or in memory; one in memory that was not begun is never run by a later agent;
//   - an end that the agent found itself (a dead worker) is in the file before it is told, so that no later agent runs the job;
//   - a job leaves pending for current, current for nothing, and nothing else ever happens to it, but that it is given
//     up: too many starts, too old, unreadable. [Journal.Load] names those, and the dispatcher reports them.
package journal
