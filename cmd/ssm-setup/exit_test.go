package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// The exit codes as scripts know them.
const (
	ExitFailed       = 1
	exitUsage        = 2
	exitRegion       = 3
	exitVerify       = 4
	exitRefused      = 5
	exitBusy         = 6
	ExitPermission   = 7
	exitRegistration = 8
	ExitNoSpace      = 10
	exitUnhealthy    = 11
)

func TestTheTableOfExitCodesInTheReadmeIsThatOfTheKinds(t *testing.T) {
	var want strings.Builder
	want.WriteString("| exit code | meaning |\n| --- | --- |\n| 0 | done, or nothing to do |\n")
	for _, kind := range fault.Kinds() {
		if kind.Meaning() != "" {
			fmt.Fprintf(&want, "| %d | %s |\n", kind.ExitCode(), kind.Meaning())
		}
	}
	readme, err := os.ReadFile("../../README.md")
	must(t, err)
	if !strings.Contains(string(readme), "\n\n"+want.String()+"\n") {
		t.Errorf("README.md has no table\n%s", &want)
	}
}
