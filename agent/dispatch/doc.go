// Package dispatch takes a command from the lane it came by to its last reply.
//
// Parties: lanes (agent/mailbox) bring messages and carry replies; the journal (agent/journal) holds every command that was accepted
// and not yet answered; a worker process (agent/runner) runs the command's document and outlives this agent; the daemon builds a
// [Dispatcher] for one identity and closes it.
//
//	message → job (job.go) → queue (queue.go) → executor (executor.go) → worker → replies → forgotten by the journal
//
//	dispatcher.go   builds the parts and takes up what an earlier agent left
//	queue.go        how many commands run at once, how many wait; cancel.go: what a cancel does
//	executor.go     one command from its worker to its last reply
//	prestart.go     the worker's process is started while its job goes to disk
//	finalreply.go   ends that no worker told: cancelled before it ran, worker dead or not to be started, given up
//	reboot.go       documents that restart the machine
//	original.go     commands that an original agent had begun
//	nodisk.go       commands that the disk does not take: run in memory, or answered with the reason
//
// The parts are built in that order from the bottom: lanes first, then the executor, which replies over them, then the queue, which is
// given the executor's run function. Nothing is tied together afterwards.
//
// What must always be true:
//   - a command is accepted once: it is in the journal before its lane acknowledges it, and a second copy is a duplicate;
//   - a command that has no turn yet waits on disk, acknowledged, up to 10,000 of them or 64 MB: left with its service it would come
//     again after ten seconds only. In memory it is its name;
//   - a command that the disk does not take is kept in memory, acknowledged before it runs, and runs at most once; one for which
//     there is no room is answered Failed. Its replies say what the disk said;
//   - a command is answered once: its job leaves the journal after the last reply was sent or kept, and a reply sent twice has the
//     same id;
//   - an end that the agent found itself is on disk before it is told, so that no later agent runs the command again;
//   - a command that an original agent gave to a process is not run here: that process is waited for, and its results are told;
//   - what ours leaves is written so that an original agent goes on with it, too: the worker's process, a wish for a reboot;
//   - when the context ends, every command is in the journal as the next agent needs it. Workers live on.
//
// Files: none of its own; the journal's, and the workers' folders through agent/runner.
package dispatch
