// Package socket is a WebSocket that comes back: the connection of a channel of ssmmessages, opened anew whenever it is lost. It is the
// agent's door to coder/websocket.
//
// Parties: a lane (agent/mailbox) gives a path, the first message and what takes messages in; the client of agent/cloud asks for tokens
// and signs, with the proxies, certificates and credentials of the process; the service at the other end answers pings.
//
//	create → a fresh token for every try → dial → first message → read, ping → lost → pause → create …
//
// Facts: docs/protocol/session.md, "CreateControlChannel / CreateDataChannel", "Websocket URLs", "Keepalive", "Read errors, reconnect,
// back-off". The original tries to read five times from a broken connection and closes by dropping the connection; this room takes the
// first error for the end, and drops it, too. Its pings carry a number instead of the word keepalive: the library chooses it, and the
// service gives it back.
//
// What must always be true:
//   - nothing that the service sends, or does not send, ends the loop: only the context does;
//   - what takes messages in is called by one goroutine, in the order in which they came, and holds up pings while it is at it;
//   - a try that fails is followed by a pause that grows, with jitter, from 5 s to 40 min, so that a region without channels costs next
//     to nothing, and is said once in the log;
//   - a connection that is dead is known to be so after at most 114 s, after 10 s where [Socket.Check] asks;
//   - while it is open and idle there is one timer, that of the next ping.
package socket
