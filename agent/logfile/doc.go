// Package logfile writes the agent's log as the original does, so that programs and people who read its files go on reading them.
//
// Parties: every part of the agent that has something to say gets a logger of [Logs]; the launcher takes the same lines from standard
// output, by a console that never blocks ([NonBlocking]). It gets no lines about single commands ([Logs.Brief]): those are in the file.
//
// Files it owns (docs/protocol/identity.md, "Log files"):
//
//	<logs>/amazon-ssm-agent.log   every line from the minimum level on; 30 MB, then it rolls, five rolled ones stay
//	<logs>/errors.log             errors only, with the place in the program; 10 MB, likewise
//
// <settings>/seelog.xml belongs to the administrator; only its minlevel is read.
//
// What must always be true: a line that cannot be written is lost, and no part of the agent waits for a log.
package logfile
