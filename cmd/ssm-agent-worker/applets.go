package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/authority"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
)

// applets are the roles of this program, by name. Each takes its arguments and returns the exit code.
func applets() map[string]func(args []string) int {
	return map[string]func([]string) int{
		"agent":               runAgent,
		"ssm-document-worker": runWorker,
		"document-worker":     runWorker,
		"ssm-cli":             runCLI,
		"selftest":            selfTest,
		"updater":             runUpdater,
		"package":             runPackage,
	}
}

// run finds the role. Called as amazon-ssm-agent or ssm-agent-worker (or by a name that says nothing, as out of the store)
// the first argument decides: none is the agent, an applet's name that applet, all else the registration command line.
func run(argv []string) int {
	name := strings.TrimSuffix(filepath.Base(argv[0]), ".exe")
	table, args := applets(), argv[1:]
	if layout, err := installer.Here(); err == nil {
		proxy.Adopt(layout)
		authority.Adopt(layout)
	}
	if applet, ok := table[name]; ok {
		return applet(args)
	}
	switch name {
	case "ssm-session-worker", "ssm-session-logger":
		fmt.Fprintf(os.Stderr, "error: %s is not part of this version\nhint: sessions come with a later one; applets: %s\n", name,
			strings.Join(slices.Sorted(maps.Keys(table)), ", "))
		return 1
	}
	if len(args) == 0 {
		return runAgent(nil)
	}
	if applet, ok := table[args[0]]; ok {
		return applet(args[1:])
	}
	return registerCLI(args)
}

// runWorker is a document worker: its one argument is the folder of the job.
func runWorker(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "error: ssm-document-worker takes the folder of a job\nhint: the agent starts it")
		return 2
	}
	return runner.Main(args[0], plugins.Table(plugins.Ports{Update: startUpdate}), output.Table(nodesRegion()))
}
