package main

import (
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/systems"
)

func TestWhichSystemsTakeNoNewVersion(t *testing.T) {
	for f, want := range map[systems.Facts]string{
		{OS: "linux", Kernel: "6.1.0-18-amd64", ID: "debian", Version: "12"}: "",
		{OS: "linux", Kernel: "6.1.0-18-amd64", ID: "debian", Version: "7"}:  "", // old, but it runs here
		{OS: "linux", Kernel: "3.1.10-1", ID: "debian"}: "Failed kernel version precondition: Minimum kernel version is 3.2 but instance " +
			"kernel version is 3.1.10-1",
		{OS: "linux", ID: "bottlerocket"}: "Failed Bottlerocket precondition: Bottlerocket has an immutable root filesystem",
		{OS: "windows"}:                   "",
	} {
		if got := precondition(f); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
}
