// Command ssm-agent-worker is everything of ours that runs on a host besides the launcher: the agent, its document workers,
// the updater, ssm-cli and the registration command line. Which one is decided by the name it is called by, or by its first
// argument; applets.go is the table.
package main

import "os"

func main() { os.Exit(run(os.Args)) }
