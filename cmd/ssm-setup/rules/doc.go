// Package rules has the commands with which people say what updates of a machine may do, and ask why one did or did not happen:
// hold, unhold, policy, unblock and why.
//
// The policy is a file of the machine (updater/policy) that the agent's updater and ssm-setup install ([Permit]) obey; the commands write
// it and start nothing. They work on a machine without an agent, too, so that an image may carry the policy before anything is installed.
package rules
