//go:build linux

package installer_test

import (
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
)

// The places of docs/protocol/identity.md, "Roots and files"; docs/protocol/update.md, "Files of an update" and "The update
// lock", for the system and for a root.
func TestEverythingLiesUnderTheRoot(t *testing.T) {
	system := installer.At("/")
	for got, want := range map[string]string{
		system.Launcher():                "/usr/bin/amazon-ssm-agent",
		system.Worker():                  "/usr/bin/ssm-agent-worker",
		system.BinDir():                  "/usr/bin",
		system.ConfigDir():               "/etc/amazon/ssm",
		system.ConfigFile():              "/etc/amazon/ssm/amazon-ssm-agent.json",
		system.Data():                    "/var/lib/amazon/ssm",
		system.Vault():                   "/var/lib/amazon/ssm/Vault",
		system.Registration():            "/var/lib/amazon/ssm/registration",
		system.RuntimeConfig():           "/var/lib/amazon/ssm/runtimeconfig",
		system.Credentials():             "/var/lib/amazon/ssm/credentials",
		system.Logs():                    "/var/log/amazon/ssm",
		system.UpdateLock():              "/var/lib/amazon/ssm/update.lock",
		system.UpdateRoot():              "/var/lib/amazon/ssm/update",
		system.Download():                "/var/lib/amazon/ssm/download",
		system.Store("9.2.0.0"):          "/var/lib/amazon/ssm/store/9.2.0.0",
		system.Ledger():                  "/var/lib/amazon/ssm/ledger",
		system.Pulse():                   "/var/lib/amazon/ssm/pulse",
		installer.At("/r").Logs():        "/r/var/log/amazon/ssm",
		installer.At("/r/").ConfigFile(): "/r/etc/amazon/ssm/amazon-ssm-agent.json",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if !system.System() || installer.At("/r").System() || installer.At("") != system {
		t.Error("System is wrong")
	}
	if l, err := installer.Of("/r/var/lib/amazon/ssm/store/9.2.0.0/ssm-agent-worker"); err != nil || l != installer.At("/r") {
		t.Errorf("%+v, %v", l, err)
	}
}
