// Command ssm-setup takes a machine from nothing to a registered, healthy, always current SSM agent: it builds packages,
// publishes them to regions, runs a region on this machine, installs, registers, updates and shows.
//
// One file per subcommand (cmd_<name>.go); subcommands.go is the table of them, printer.go the one place that speaks to people, exit.go
// what a failure is to them. What a subcommand does lives below: this room reads flags, hands them down and prints what came of it.
// Called as ssm-setup-cli it is the original's tool (setupcli).
package main

import "os"

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
