// Package ground is what the rooms of regions stand on: a file made whole or not at all, the SHA-256 of a file, a sleep
// that a context ends.
//
// The rest of the product stands on installer/host, which holds the same and much more (locks, processes, facts of the
// system). The stair forbids regions to use it – an installation came from a region, never the reverse – and the launcher
// may link nothing of ours below installer/host. So these few functions exist twice, once on each side of that arrow, and
// nowhere else.
//
// What must always be true: a file that [Write] or [WriteFrom] made has all its bytes, or its name holds what it held before.
package ground
