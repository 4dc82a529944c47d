// Package pointer says which agent a machine is to run: where things lie under an installation root, the two slots that hold
// the choice, the tokens of a version on probation, and the checks a file passes before it is started.
//
// # Files it names
//
//	<bin>/amazon-ssm-agent       the launcher, put there by a package
//	<bin>/ssm-agent-worker       the floor: the agent beside the launcher, same package, same version
//	<data>/store/<version>/      versions that updates added; one file, ssm-agent-worker
//	<data>/pointer/0 and /1      the slots, [SlotSize] bytes each, from installation on
//	<data>/probation/<seq>/1..3  the tokens of the pointer with that sequence
//	<data>/lock/launcher, agent, update   folders that carry record locks, 0700
//
// # Who writes
//
// Only the holder of the update lock, through installer/store. The launcher removes tokens and writes nothing else.
//
// # What is always true
//
//   - The valid slot with the higher sequence counts. A write overwrites the other one in place and syncs it, so a power cut
//     can tear only the older slot, and a full disk is no obstacle.
//   - A pointer names versions and hashes, never paths.
//   - Tokens exist, synced, before a pointer says probation. Each start on probation costs one. No clock decides.
//   - A slot keeps fields it does not know: the format only ever gains some.
//
// # Deviation from the first design, on purpose
//
// The floor goes first when it *changed* since the pointer was written and is as new as the active version (or newer), or was
// put below the floor last seen. The first design left the word "changed" out; then no update to a version older than the
// floor, allowed on purpose, could ever have taken effect.
package pointer
