// Command amazon-ssm-agent-setup becomes AmazonSSMAgentSetup.exe: the Windows package with the original installer's switches.
package main

import (
	"os"

	"github.com/ssm-setup/ssm-setup/installer/setupexe"
)

func main() { os.Exit(setupexe.Main(os.Args[1:], os.Stdout, os.Stderr)) }
