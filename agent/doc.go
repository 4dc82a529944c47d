// Package agent is the daemon: it builds the rooms (configuration, identity, credentials, health, mailbox, runner), runs
// them under one context and stops them.
//
// Parties: the launcher above it (installer/launcher: stop pipe, beat pipe, agent lock; a run by hand has none), the
// services of its region, workers that are processes of their own (agent/runner), the updater, which it only wakes.
//
// # A life
//
//  1. attach to the launcher, open the logs, begin to beat
//  2. read the configuration; one that cannot be read is waited for, as no other version could read it either
//  3. wait for an identity: registering later needs no restart
//  4. ping. Without success: hibernate (agent/health), nothing else runs
//  5. read the journal: report what must be given up, take up what runs, queue what waits
//  6. receive, run, report, ping, clean up, until told to leave or the machine becomes somebody else
//  7. take nothing more, drop what is on the wire (its reply id is the same next time), go. Workers live on
//
// What must always be true:
//   - a command is answered once: its job leaves the journal after the last reply was sent or kept, and a reply sent
//     twice has the same id;
//   - the agent beats as long as its own loops progress (pace.go), and falls silent when one is stuck; the network is no
//     part of that;
//   - leaving takes less than half a second.
//
// Files it owns: the logs (log.go).
//
//	agent.go      the life            house.go   the rooms of one identity
//	desk.go       who is next         work.go    one command from its worker to its last reply
//	verdict.go    ends that no worker told
//	parse.go      message → job       reboot.go  documents that restart the machine
//	beat.go, pace.go, retention.go, log.go, restart_*.go
package agent
