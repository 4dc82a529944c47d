// Package wire turns bytes into protocol messages and back: what the agent and a region say to each other.
//
// The agent (mailbox, identity, health) and the local region both use it. So that the two cannot agree on the same mistake,
// every form here is pinned by vectors of the protocol, written by hand.
//
//	names.go    operations, topics, status words, message ids
//	error.go    the error body of AWS JSON 1.1
//	ssm.go      the private ssm operations: registration, role token, key rotation, ping
//	message.go  ec2messages: operations, messages, command and cancel payloads
//	frame.go    one message of a channel of ssmmessages, as bytes
//	channel.go  ssmmessages: how a control channel is opened, and what its frames carry
//	reply.go    what goes back: the reply payload, step by step
//	sign.go     canonical request and string to sign; the RSA-PSS scheme of hybrid nodes
//
// It does no I/O of its own. Emitted JSON is compact, keys in the order of the structs, with < > & escaped as the
// original does (docs/protocol/runcommand.md, "Conventions"); incoming keys match without regard to case, unknown ones are ignored.
package wire
