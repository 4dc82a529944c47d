// Command ssm-agent-worker is everything of ours that runs on a host besides the launcher: the agent, its document workers,
// the updater, ssm-cli and the registration command line. Which one is decided by the name it is called by, or by its first
// argument; applets.go is the table.
//
// ssm-setup registers a machine through the registration command line: -register -y -region R with -json, or with the variable
// SSM_REGISTRATION_ANSWER=json, which older agents and the original ignore. The answer is one JSON object on standard output and
// an exit code for each kind of error (answer.go); without either, the sentences and codes are the original's, for the scripts
// that read them.
package main

import "os"

func main() { os.Exit(run(os.Args)) }
