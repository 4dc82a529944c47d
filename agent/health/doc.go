// Package health says that the agent is well: outwards to the region (the ping UpdateInstanceInformation,
// docs/protocol/identity.md, "Health and hibernation") and inwards to people and the updater (the pulse file).
//
// Parties: a [Pinger] sends the first ping at once, hibernates where the region refuses the node, then pings by the
// configured frequency. A [Pulse] keeps what the pulse file says; the heartbeat writes it, pings and polls report
// their round trips to it.
//
// Files it owns: the pulse file of the installation, overwritten in place (installer.WritePulse).
//
// What must always be true: no failure of a ping ends the agent, no ping waits for a program of this machine longer than an
// instant, and a network that comes back is noticed within a minute.
package health
