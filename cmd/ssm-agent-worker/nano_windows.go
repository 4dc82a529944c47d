package main

import (
	"strings"

	"golang.org/x/sys/windows/registry"
)

// nanoServer names a system of the edition Nano, which Agent.SelfUpdate does not serve (docs/protocol/update.md, "Scheduled self-update").
func nanoServer() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows NT\CurrentVersion`, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	for _, name := range []string{"InstallationType", "EditionID"} {
		if text, _, err := k.GetStringValue(name); err == nil && strings.Contains(text, "Nano") {
			return text
		}
	}
	return ""
}
