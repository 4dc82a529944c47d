// Command ssm-setup takes a machine from nothing to a registered, healthy, always current SSM agent: it builds packages,
// publishes them to regions, runs a region on this machine, installs, registers, updates and shows.
//
// One file per verb; verbs.go is the table of them, say.go the one voice that speaks to people, exit.go the exit codes.
//
// Called as ssm-setup-cli it takes the original's flags (setupcli.go). What it downloads has to match the manifest, and be signed
// by whom it is told to trust:
//
//	deb, rpm   gpg checks the region's FILE.sig with the key of -public-key, else with amazon-ssm-agent.gpg beside the program, or
//	           with the settings (packages bring it as trust/amazon-ssm-agent.gpg), else with the key this program was built with:
//	           ssm-setup build --trust KEY puts it into the packages and into the program
//	exe, msi   Authenticode: by the name of -signer, else by whoever signed this program, with a chain that the system trusts
//
// Where nobody is named that is a warning, never silence; a signature that is not his is a refusal.
package main

import "os"

func main() {
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
