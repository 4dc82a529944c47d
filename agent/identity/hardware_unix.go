//go:build unix

package identity

import (
	"context"
	"os"
)

const hardwareID = "machine-id"

// readHardwareID is the text of the machine id file, its newline included.
func readHardwareID() (string, bool) {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if text, err := os.ReadFile(path); err == nil {
			return string(text), true
		}
	}
	return "", true
}

func sources(context.Context) []source {
	const dmidecode = "/usr/sbin/dmidecode"
	return []source{
		{"processor-hash", []string{dmidecode, "-t", "processor"}},
		{"memory-hash", []string{dmidecode, "-t", "memory"}},
		{"bios-hash", []string{dmidecode, "-t", "bios"}},
		{"system-hash", []string{dmidecode, "-t", "system"}},
		{"disk-info", []string{"ls", "-l", "/dev/disk/by-uuid"}},
	}
}
