package takeover

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// manager is what starts services on a system, and how the keeper is entered with it.
type manager struct {
	name string
	is   [][]string // asks for the state of the service; the first that succeeds counts
	runs string     // what it prints while it runs; empty: a process is looked for
	read [][]string // after units were exchanged
	up   [][]string // starts the service anew

	file   string     // of the keeper; empty: it is entered by commands
	text   string     // of that file; %s: the command
	enter  [][]string // before the record is there
	strict bool       // without the last command of enter nothing starts the keeper at a boot
	begin  [][]string // after it
	remove [][]string
}

const keeperName = "ssm-setup-takeover"

// managers is the table. {} in a keeper's command is the program, which takes the one argument "takeover".
func managers() []manager {
	const name, snap, plist = agentPackage, "snap.amazon-ssm-agent.amazon-ssm-agent", "/Library/LaunchDaemons/com.amazon.aws.ssm.plist"
	const unit, keeperPlist = keeperName + ".service", "/Library/LaunchDaemons/com.ssm-setup.takeover.plist"
	return []manager{
		{name: "systemd", is: [][]string{{"systemctl", "status", name + ".service"}, {"systemctl", "status", snap + ".service"}},
			runs: "Active: active (running)", read: [][]string{{"systemctl", "daemon-reload"}},
			up:   [][]string{{"systemctl", "restart", name + ".service"}},
			file: "/etc/systemd/system/" + unit, text: systemdKeeper,
			enter: [][]string{{"systemctl", "daemon-reload"}, {"systemctl", "enable", unit}}, strict: true,
			begin:  [][]string{{"systemctl", "start", "--no-block", unit}},
			remove: [][]string{{"systemctl", "disable", unit}}},
		{name: "upstart", is: [][]string{{"status", name}}, runs: name + " start/running",
			read: [][]string{{"initctl", "reload-configuration"}}, up: [][]string{{"stop", name}, {"start", name}},
			file: "/etc/init/" + keeperName + ".conf", text: upstartKeeper,
			enter: [][]string{{"initctl", "reload-configuration"}}, begin: [][]string{{"start", "--no-wait", keeperName}}},
		{name: "launchd", up: [][]string{{"launchctl", "load", "-w", plist}, {"launchctl", "start", "com.amazon.aws.ssm"}},
			file: keeperPlist, text: launchdKeeper, begin: [][]string{{"launchctl", "load", keeperPlist}}},
		{name: "windows", is: [][]string{{"sc", "query", "AmazonSSMAgent"}}, runs: "RUNNING", up: [][]string{{"net", "start",
			"AmazonSSMAgent"}},
			enter:  [][]string{{"schtasks", "/create", "/f", "/tn", keeperName, "/sc", "onstart", "/ru", "SYSTEM", "/tr", `"{}" takeover`}},
			strict: true,
			begin:  [][]string{{"schtasks", "/run", "/tn", keeperName}},
			remove: [][]string{{"schtasks", "/delete", "/f", "/tn", keeperName}}},
	}
}

const (
	systemdKeeper = `[Unit]
Description=Exchange of the SSM agent, until it is done
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=simple
ExecStart=%s takeover
KillMode=process
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
`
	upstartKeeper = `description "Exchange of the SSM agent, until it is done"
start on (runlevel [2345] and started network)
stop on runlevel [!2345]
respawn
normal exit 0
exec %s takeover
`
	launchdKeeper = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>Label</key><string>com.ssm-setup.takeover</string>
<key>ProgramArguments</key><array><string>%s</string><string>takeover</string></array>
<key>RunAtLoad</key><true/>
</dict></plist>
`
)

func managerNamed(name string) (manager, bool) {
	for _, m := range managers() {
		if m.name == name {
			return m, true
		}
	}
	return manager{}, false
}

// unsupported is what the original's scripts say where they know no init system.
const unsupported = "The amazon-ssm-agent is not supported on this platform. " +
	"Please visit the documentation for the list of supported platforms"

// managerHere finds which one runs, by what is there; root is the system's. name is the word for it, also of those that no row is for, and
// command what a person types there to have the agent restarted.
func managerHere(goos, root string, output func(command ...string) string) (name, command string) {
	at := func(path string) bool {
		_, err := os.Stat(filepath.Join(root, path))
		return err == nil
	}
	switch {
	case goos == "windows":
		return "windows", "net start AmazonSSMAgent"
	case goos == "darwin":
		return "launchd", "launchctl start com.amazon.aws.ssm"
	case at("/run/systemd/system"):
		return "systemd", "systemctl restart amazon-ssm-agent"
	case at("/run/openrc"):
		return "openrc", "rc-service amazon-ssm-agent restart"
	case strings.Contains(output("/sbin/init", "--version"), "upstart"):
		return "upstart", "restart amazon-ssm-agent"
	case at("/etc/inittab"):
		return "sysv", "service amazon-ssm-agent restart"
	}
	return "", ""
}

// noManager is why an exchange is not begun where none of the table's service managers runs.
func noManager(name, command string) *failure {
	text := unsupported
	if name != "" {
		text += fmt.Sprintf("; this system starts services by %s: install the package by hand, then run %s", name, command)
	}
	return &failure{code: "ErrorUnsupportedServiceManager", text: text}
}

// keeperText is the keeper's file.
func (m manager) keeperText(program string) string { return fmt.Sprintf(m.text, program) }
