package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// Exit codes of ssm-cli (docs/protocol/identity.md, "ssm-cli in general").
const (
	cliParse  = 2
	cliFailed = 255
)

// cliCommands are the names of the original; those without a function come later.
func cliCommands() map[string]func(parameters []string) error {
	return map[string]func([]string) error{
		"get-instance-information":       getInstanceInformation,
		"get-diagnostics":                nil,
		"get-offline-command-invocation": nil,
		"send-offline-command":           nil,
	}
}

const cliUsage = "usage: ssm-cli <command> [--parameter value]\ncommands: get-instance-information"

// runCLI is ssm-cli. Everything it says goes to stdout.
func runCLI(args []string) int {
	if len(args) == 0 {
		fmt.Print(cliUsage, "\n\nerror: command is required\n")
		return cliParse
	}
	name := strings.ToLower(args[0])
	if name == "help" || name == "--help" || slices.Contains(args[1:], "help") || slices.Contains(args[1:], "--help") {
		fmt.Println(cliUsage)
		return 0
	}
	command, known := cliCommands()[name]
	if !known {
		fmt.Printf("%s\n\nerror: Invalid command %s.  The following commands are supported:\nget-instance-information\n", cliUsage, args[0])
		return cliParse
	}
	err := fmt.Errorf("%s is not part of this version", name)
	if command != nil {
		err = command(args[1:])
	}
	if err != nil {
		fmt.Printf("%s\n\nerror: %v\n", cliUsage, err)
		return cliFailed
	}
	return 0
}

// getInstanceInformation prints who this machine is, in one line (docs/protocol/identity.md, "Commands of ssm-cli"), with
// the agent's own settings.
func getInstanceInformation(parameters []string) error {
	if len(parameters) > 0 {
		if strings.HasPrefix(parameters[0], "--") {
			return fmt.Errorf("unknown parameter %s", parameters[0])
		}
		return fmt.Errorf("get-instance-information does not support subcommand [%s]", parameters[0])
	}
	layout, err := installer.Here()
	if err != nil {
		return err
	}
	id, err := identity.Load(layout, config.Read(layout).Config, identity.Options{})
	if err != nil {
		return err
	}
	line, err := json.Marshal(struct {
		ID      string `json:"instance-id"`
		Region  string `json:"region"`
		Version string `json:"release-version"`
	}{id.InstanceID, id.Region, stamp.Version()})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}
