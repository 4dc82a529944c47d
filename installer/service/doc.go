// Package service starts, stops and asks the agent's service: through the system's service manager for the system's
// installation (the door to kardianos/service), and by a detached launcher for an installation under another root, and for the system's
// where no service manager runs (containers, chroots, images that are being built).
//
// It is for ssm-setup and diagnostics. No update needs it: the launcher never stops for one.
//
// The detached kind owns <data>/amazon-ssm-agent.pid, which says that it is meant to run, and <logs>/launcher.log. The launcher's
// lock, not the pid file, says whether it runs. It does not survive a reboot; a launcher that a service manager starts later has it end
// and takes its place (installer/launcher).
//
// Where a unit of systemd has lost the additions of the package, a killed launcher is away for a minute and a half: [SlowRestart]
// finds it, and [HastenRestart] puts them back beside the administrator's own.
package service
