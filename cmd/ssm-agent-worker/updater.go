package main

import "github.com/ssm-setup/ssm-setup/installer"

// runUpdater is the updater applet; resume is what wakes it from the agent. (owner: updater helper)
func runUpdater(args []string) int { return 1 }

func resume(layout installer.Layout) func() { return nil }
