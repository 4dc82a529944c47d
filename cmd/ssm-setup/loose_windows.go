package main

import (
	"errors"

	"github.com/ssm-setup/ssm-setup/installer"
)

var errLoose = errors.New("it can be written by others")

// refuseLoose leaves the look at access lists to the launcher.
func refuseLoose(installer.Layout) error { return nil }
