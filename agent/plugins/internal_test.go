package plugins

import (
	"slices"
	"testing"
)

func TestTimeLimitsAreReadAsTheOriginalReadsThem(t *testing.T) {
	for _, c := range []struct {
		v    any
		want int
	}{
		{"10", 10}, {"10.7", 10}, {"abc", 3600}, {4.0, 3600}, {172801.0, 3600}, {nil, 3600},
		{5.0, 5}, {4.99, 3600}, {172800.9, 172800}, {"", 3600}, {"NaN", 3600}, {"Inf", 3600}, {true, 3600}, {[]any{}, 3600}, {"-7", 3600},
	} {
		if got := seconds(c.v); got != c.want {
			t.Errorf("seconds(%v) = %d, want %d", c.v, got, c.want)
		}
	}
}

func TestPowerShellIsStartedAsOnEachSystem(t *testing.T) {
	t.Setenv("SystemRoot", `C:\Windows`)
	if program, args := powerShell("darwin")("/x/_script.ps1"); program != "/usr/local/bin/pwsh" || !slices.Equal(args, []string{"-f",
		"/x/_script.ps1"}) {
		t.Errorf("%s %v", program, args)
	}
	_, args := powerShell("windows")("s")
	if want := []string{"-InputFormat", "None", "-Noninteractive", "-NoProfile", "-ExecutionPolicy", "unrestricted", "-f",
		"s"}; !slices.Equal(args, want) {
		t.Errorf("%v", args)
	}
}

func TestTheEnvironmentOfPowerShell(t *testing.T) {
	got := powerShellEnvironment("linux")([]string{"A=1", "XTERM_VERSION=2", "TERM=xterm"})
	if !slices.Equal(got, []string{"A=1", "TERM=xterm", "HOME=/"}) {
		t.Errorf("%v", got)
	}
	if got := powerShellEnvironment("windows")([]string{"TERM=x"}); !slices.Equal(got, []string{"TERM=x"}) {
		t.Errorf("%v", got)
	}
}
