// Package store keeps versions beside the floor and is the writing side of the pointer.
//
// # Files it owns
//
//	<store>/<version>/ssm-agent-worker   0755, written under a temporary name, synced, renamed
//	<data>/pointer/0 and /1              made whole at installation or by stage, then only overwritten in place and synced
//	<data>/probation/<sequence>/1..3     made and synced before a pointer says probation
//
// # Order of an update
//
//	Add       the version, its hash checked
//	Prepare   slots where they are missing, then the tokens of the next sequence
//	Switch    one write of the pointer, naming the sequence it replaces
//	Confirm   the pointer without probation, then the tokens go
//	   or
//	DropTokens, then the caller stops the agent, then Back
//
// Between any two of these the machine may lose power; the launcher then finds an agent all the same, and "updater resume" tells
// from the sequences how far it came.
//
// Only the holder of the update lock calls anything here that writes.
package store
