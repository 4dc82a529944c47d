package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// The exit codes as scripts know them.
const (
	exitFailed       = 1
	exitUsage        = 2
	exitRegion       = 3
	exitVerify       = 4
	exitRefused      = 5
	exitBusy         = 6
	exitPermission   = 7
	exitRegistration = 8
	exitNoSpace      = 10
	exitUnhealthy    = 11
)

func TestFaultsThatAnySubcommandCanMeetHaveACodeAndANextStep(t *testing.T) {
	for cause, code := range map[error]int{context.Canceled: exitFailed, syscall.EROFS: exitPermission, syscall.ENOSPC: exitNoSpace,
		syscall.EACCES: exitPermission} {
		p := explain(cannot("do", "it", fmt.Errorf("further down: %w", &os.PathError{Op: "write", Path: "x", Err: cause})))
		if p.kind.ExitCode() != code || p.hint == "" {
			t.Errorf("%v: %s, %q", cause, p.kind, p.hint)
		}
	}
}

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
