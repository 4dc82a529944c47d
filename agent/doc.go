// Package agent is the daemon: it builds the rooms of one identity (credentials, health, lanes, journal, dispatcher), runs them under one
// context and stops them in reverse order.
//
// Parties: the launcher above it (installer/launcher: stop pipe, beat pipe, agent lock; a run by hand has none), the services of its
// region, workers that are processes of their own (agent/runner), and the updater, which the daemon only wakes.
//
// # From start to end
//
//  1. attach to the launcher, open the logs, begin to beat
//  2. read the configuration; one that cannot be read is waited for, as no other version could read it either
//  3. wait for an identity: registering later needs no restart
//  4. ping. Without success: hibernate (agent/health); nothing else runs
//  5. open the journal, build the node: report what must be given up, take up what runs, queue what waits
//  6. receive, run, report, ping, clean up, until told to leave or the machine is registered as another node
//  7. take nothing more, drop what is on the wire (its reply id is the same next time), go. Workers live on
//
// What must always be true:
//   - the agent beats as long as its own loops progress (agent/watchdog), and falls silent when one is stuck; the network is no part
//     of that;
//   - leaving takes less than half a second;
//   - what is wrong with a file of this machine is waited for and said once; it never ends the agent.
//
// Files it owns: none of its own. The logs are agent/logfile's, the pulse file agent/health's, commands the journal's.
//
//	daemon.go      the process            node.go        what belongs to one identity
//	heartbeat.go   launcher and pulse     retention.go   outputs that are kept long enough
package agent
