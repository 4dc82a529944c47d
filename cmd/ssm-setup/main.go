// Command ssm-setup takes a machine from nothing to a registered, healthy, always current SSM agent: it builds packages,
// publishes them to regions, runs a region on this machine, installs, registers, updates and shows.
//
// A command lives in one file (cmd_<name>.go) of the room it belongs to: machine (what is done on a machine), releases (what is done with
// releases and regions), playground (a region and a demonstration on this machine). What they share: terminal speaks to people, flags reads
// what several commands read, keyring finds keys. This room has the table of commands and what holds for all of them. What a command does
// lives below: the rooms here read flags, hand them down and print what came of it. Called as ssm-setup-cli it is the original's tool
// (setupcli).
package main

import "os"

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
