//go:build unix

package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal/screen"
)

// serving starts `ssm-setup local` at a terminal, with a home of its own, and waits until it serves.
func serving(t *testing.T, listen string) *screen.Session {
	t.Helper()
	home := t.TempDir()
	s := atTerminal(t, 200, []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home}, "local", "--listen", listen, "--data",
		filepath.Join(home, "data"))
	s.Await("interrupt to close it")
	return s
}

// A region that others reach is warned of, with the address that they use; one on this machine is not. The activation that is proposed
// is for ten hosts. Ctrl-C closes it in order.
func TestARegionThatOthersReachIsWarnedOf(t *testing.T) {
	const warning = "warning: every machine that reaches "
	for listen, warned := range map[string]bool{"127.0.0.1:0": false, "0.0.0.0:0": true} {
		s := serving(t, listen)
		s.Type(ctrlC)
		code, text := s.End(), plain(s)
		if code != 0 || strings.Contains(text, warning) != warned || !strings.Contains(text, "is closed; its state stays in ") {
			t.Errorf("%s: exit code %d: %s", listen, code, text)
		}
		if !strings.Contains(text, " ssm create-activation --iam-role local --registration-limit 10\n") {
			t.Errorf("no activation for ten hosts: %s", text)
		}
		own := regexp.MustCompile(`other machines reach it at https://\S+:\d+, with the CA below`)
		if warned && hasAddress() && !own.MatchString(text) {
			t.Errorf("no address for other machines: %s", text)
		}
	}
}

// hasAddress tells whether this machine has an address that others may reach.
func hasAddress() bool {
	list, _ := net.InterfaceAddrs()
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return true
		}
	}
	return false
}

// A port that is taken and one that needs privileges are said as what they are.
func TestAPortThatCannotBeHadIsSaidAsThat(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	local := func(listen string) []string {
		return []string{"local", "--data", filepath.Join(t.TempDir(), "data"), "--listen", listen}
	}
	if s := ssmSetup(local(taken.Addr().String())...); s.code != exitBusy || !strings.Contains(s.err, "error: cannot open region local: ") ||
		!strings.Contains(s.err, "address already in use") || strings.Contains(s.err, "installation") || !strings.Contains(s.err, "hint: ") {
		t.Errorf("a port that is taken: %+v", s)
	}
	console := append(local("127.0.0.1:0"), "--console", taken.Addr().String())
	if s := ssmSetup(console...); s.code != exitBusy || !strings.Contains(s.err, "error: cannot serve the console of region local: ") ||
		strings.Contains(s.err, "installation") {
		t.Errorf("the console's port is taken: %+v", s)
	}
	if free, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); runtime.GOOS != "linux" || err != nil ||
		strings.TrimSpace(string(free)) == "0" {
		t.Skip("no port needs privileges on this machine; CI runs this where low ones do")
	}
	data, err := os.MkdirTemp("", "ssm-setup-region-")
	must(t, err)
	defer os.RemoveAll(data)
	must(t, os.Chmod(data, 0o777))
	s := asNobody(t, "local", "--data", filepath.Join(data, "region"), "--listen", "127.0.0.1:80")
	if s.code != ExitPermission || !strings.Contains(s.err, "permission denied") || strings.Contains(s.err, "--root") {
		t.Errorf("a port that needs privileges: %+v", s)
	}
}

// On a terminal the state is shown again in its place until Ctrl-C, which is how watching ends.
func TestTheStateIsWatchedUntilCtrlC(t *testing.T) {
	r := published(t)
	dir := root(t)
	object(t, installInto(r, dir))
	s := atTerminal(t, 100, nil, "status", "--watch", "--root", dir)
	for range 2 {
		s.Await("\x1b[H\x1b[2J")
		s.Await("package version")
	}
	if code := ssmSetup("uninstall", "--root", dir).code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.Await("there is no agent on " + dir)
	s.Type(ctrlC)
	if code := s.End(); code != 0 || strings.Contains(s.Written(), "error: ") {
		t.Errorf("exit code %d: %q", code, s.Written())
	}
	if s := ssmSetup("status", "--watch", "--check", "--root", dir); s.code != exitUsage {
		t.Errorf("%+v", s)
	}
}
