// Package schedule has the rules by which a host follows a source by itself: when it looks next, what a look reads, and whether what it
// saw is for this host. The rules read no clock and send nothing: times and the region come as values and functions.
//
// # Parties
//
//   - The agent's loop (agent/timetable) asks for the next time, has [Record.Look] read, and hands what [Decide] allows to the updater as
//     a request like any other. The updater decides again, by manifest, skip list and policy.
//   - ssm-setup status shows the record. The simulation of a million hosts (test/simulation) runs these very rules.
//
// # Files it owns
//
//	<data>/schedule    the next look, the last one, tags of what was read; the agent writes it, so that a restart looks no earlier
//
// # What must always be true
//
//   - Each host has its own place in the period, by a keyed hash of its id: restarts, outages and releases bring no two hosts together.
//   - A look without news is one conditional request: with a root of trust for the signed timestamp; else for VERSION, and where a version
//     waits for this host, for the index instead.
//   - Failures are waited out longer and longer, never longer than the period; Retry-After of the region counts where it is longer.
//   - A version that a signed index withdraws is left for the one it names, by all hosts and though that is older; a halt stops this, too.
//   - The hosts of a smaller percentage are among those of a larger one; which they are differs from version to version.
//
// [SelfUpdatePeriod], [SelfUpdateDelay] and [SelfUpdateTarget] are the original's Agent.SelfUpdate, which leaves deprecated versions and
// does nothing else (docs/protocol/update.md, "Scheduled self-update").
package schedule
