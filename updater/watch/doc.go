// Package watch decides whether an agent lives: a version on probation after a switch ([Probation]), or one that needs none because it
// proved itself before ([Liveness]).
//
// # Parties
//
//   - The updater calls an [Observer] a few times a second, shows each [Look] to the rules and does what the [Verdict] says.
//   - The rules ([Probation], [Liveness]) are pure: they see looks, keep what they saw, and do nothing. Both are made of one observer of
//     a process's life ([life]).
//   - The [Prober] makes the updater's own attempts to reach the service, by which an outage is told from a broken agent.
//
// # Files it reads
//
// The agent's pulse, the tokens of the probation and the launcher's note of the last death. It writes none.
//
// # What must always be true
//
//   - Silence is measured on a [Clock] of the time in which the updater itself was able to look.
//   - A version that the launcher did not start yet is not to blame for its silence.
//   - A version is not worse than the one before it: it reaches the service by a ping, and has an answer on every lane on which the one
//     before had an answer within ten minutes, but for lanes that the service denies it.
//   - A version that ends by its own doing is undone at once; by signals from outside at the second. What shows no fault of the version's
//     is told apart ([Probation.Blameless]).
//   - While no launcher runs nothing is decided: the next start of the service goes on.
package watch
