// Package runner runs a document's steps in a process of its own that outlives a restart, an update or a crash of the
// agent.
//
// Two parties and one folder, <dir>, per job:
//
//	the agent      Prepare writes job.json; Start starts the worker; Events reads what happens; Attach takes up a job that
//	               an earlier agent process started
//	the worker     Main (the agent's own binary under the name ssm-document-worker): runs the steps (sequencer.go, with the
//	               actions of agent/plugins), appends events
//
//	job.json   the job; written whole before the worker starts, not synced: it is made from the state file
//	lock       held by the worker while it lives, so whether it lives needs no guessing about pids
//	events     one JSON line each, synced before the agent is told of it; never rewritten, only a torn tail is cut off; space for
//	           more is reserved where the system can, so that a script that fills the disk keeps its result
//	cancel     its presence is the order to stop; where the folder takes no file it is one in memory (Spec.Away), or a byte in a pipe
//	worker-*   the end of the document as the original's worker would write it, when the agent that started the worker is gone
//	master-*   an order to stop from an original agent in its place
//	log        what the worker says on stdout and stderr (a crash, for example): 64 KiB a minute, and it rolls at 1 MiB
//
// What must always be true: a step runs at most once per boot, whatever dies when. A worker that finds a job another worker began
// and did not end leaves it alone, and the reader reports it as Failed with the text of docs/protocol/runcommand.md, "Failure
// handling of workers"; only a job that waits for a reboot, or was never begun, is (re)started. The agent that started a worker
// waits for it and is woken through a pipe; a later agent looks ten times a second and asks for the lock. A death is certain then,
// without the 60 s that the original waits.
//
// What the disk does not take while a step runs costs its output's files, not its run: the script goes into the job's folder in memory,
// the streams are kept for the reply alone, and the output says so.
//
// A new job's worker may be started ahead (prestart.go): it waits for a word while the job goes to disk.
//
//	assignment.go, event.go   the two records        worker.go, read.go           the agent's side
//	main.go, record.go        the worker             sequencer.go, precheck.go    steps, one after another
//	flow.go                   exit codes, onFailure  reply.go                     events → replies
//	original.go               the original agent's worker, followed by ours; what ours writes for an original
//	cancel.go                 orders to stop
//	joblog.go                 what a worker prints, bounded
//	lock_*, wake_*, signal_*, space_*   what depends on the system
package runner
