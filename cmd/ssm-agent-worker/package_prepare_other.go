//go:build !windows

package main

import (
	"errors"

	"github.com/ssm-setup/ssm-setup/installer"
)

// What follows is the work of Windows packages; elsewhere packages do it by themselves or there is nothing to do.

func harden(installer.Layout) error { return nil }

func hideOthers() error { return nil }

func showOthers() error { return nil }

func awaitEnd(installer.Layout) error { return nil }

func replaced(string) bool { return false }

func setRecovery() error { return errors.ErrUnsupported }

func makeActivationKey() error { return errors.ErrUnsupported }

func dropActivationKey() error { return errors.ErrUnsupported }

func takeActivation() (activationNote, error) { return activationNote{}, errors.ErrUnsupported }
