package main

import (
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// selfTest tells whether this binary can work on this machine: it reads the true configuration and the registration beside
// a running agent, makes the clients it would use, sends and writes nothing. Output and exit code 0: the version.
func selfTest([]string) int {
	layout, err := installer.Here()
	if err != nil {
		return sorry(err, "")
	}
	cfg := config.Read(layout).Config // whatever the file holds, the agent runs
	client, err := cloud.HTTP()
	if err != nil {
		return sorry(err, "")
	}
	id, err := identity.Load(layout, cfg, identity.Options{HTTP: client})
	switch {
	case err == nil:
		for _, service := range append(mailbox.Services(), cloud.SSM()) {
			if _, err := id.Client(service); err != nil {
				return sorry(err, "")
			}
		}
	case !errors.Is(err, identity.ErrNotRegistered): // a record that is there and cannot be read
		return sorry(err, "")
	}
	fmt.Println(stamp.Version())
	return 0
}
