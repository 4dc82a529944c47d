// Command amazon-ssm-agent is the launcher: the service's main process, and the door to the active agent for everything else.
package main

import (
	"os"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

func main() { os.Exit(launcher.Main(os.Args)) }
