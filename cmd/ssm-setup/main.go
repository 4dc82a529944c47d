// Command ssm-setup takes a machine from nothing to a registered, healthy, always current SSM agent: it builds packages,
// publishes them to regions, runs a region on this machine, installs, registers, updates and shows.
//
// One file per verb; verbs.go is the table of them, say.go the one voice that speaks to people, exit.go the exit codes.
package main

import "os"

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
