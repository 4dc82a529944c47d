//go:build boot && linux

package boot_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

const serviceKey = `HKLM\SYSTEM\CurrentControlSet\Services\AmazonSSMAgent`

// installers makes msi and exe of a version and returns their paths.
func installers(t *testing.T, version string, signing pack.Signing) (file, exe string) {
	t.Helper()
	bin, out := buildWindows(t, version), t.TempDir()
	mark := "-X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=" + version
	if out, err := outside("env", "GOOS=windows", "GOARCH=amd64", "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w "+mark,
		"-o", bin+"/",
		"./cmd/"+pack.Carrier); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	formats, err := pack.ParseFormats([]string{"msi", "exe"})
	must(t, err)
	p := pack.Platform{OS: "windows", Arch: "amd64"}
	plan := build.Plan{Version: manifests.MustVersion(version), Platforms: []pack.Platform{p}, Formats: formats, Bin: bin, Out: out,
		Time: time.Unix(1700000000, 0), Signing: signing}
	_, err = build.Build(context.Background(), plan)
	must(t, err)
	return filepath.Join(plan.Dir(), formats[0].File(p)), filepath.Join(plan.Dir(), formats[1].File(p))
}

// msiHost is a Windows with installers on its disk.
type msiHost struct{ *prefix }

func newMSIHost(t *testing.T, signing pack.Signing, versions ...string) *msiHost {
	return newMSIHostOn(windows(t), signing, versions...)
}

func newMSIHostOn(w *prefix, signing pack.Signing, versions ...string) *msiHost {
	h, t := &msiHost{w}, w.t
	for _, v := range versions {
		file, exe := installers(t, v, signing)
		h.copy(file, `C:\`+v+`.msi`)
		h.copy(exe, `C:\`+v+`.exe`)
	}
	h.write(`C:\code.bat`, "@%*\r\n@echo code=%ERRORLEVEL%\r\n") // what wine returns to this system has 8 bits
	return h
}

// code runs a program and checks its exit code, all of it.
func (h *msiHost) code(want string, command ...string) {
	h.t.Helper()
	var out string
	for range 3 { // wine cannot start a program now and then, and says "Internal error"; nothing has happened then
		if out, _ = h.try(append([]string{"cmd", "/c", `C:\code.bat`}, command...)...); !strings.Contains(out, "fork/exec") {
			break
		}
	}
	if !strings.Contains(out, "code="+want+"\n") {
		h.t.Fatalf("%s: %s, want code %s\n%s", strings.Join(command, " "), out, want, h.log())
	}
}

// watchFor collects command lines of the agent's programs that show a text, until the function it returns is called.
func (h *msiHost) watchFor(text string) func() []string {
	end, done := make(chan struct{}), make(chan []string)
	go func() {
		var lines []string
		for {
			select {
			case <-end:
				done <- lines
				return
			case <-time.After(5 * time.Millisecond):
			}
			for _, pid := range append(h.processes(mainExe), h.processes(agentExe)...) {
				if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.Contains(string(line), text) {
					lines = append(lines, strings.ReplaceAll(string(line), "\x00", " "))
				}
			}
		}
	}()
	return func() []string { close(end); return <-done }
}

// value is one of the service's values in the registry, empty without it.
func (h *msiHost) value(name string) string {
	out, err := h.try("reg", "query", serviceKey, "/v", name)
	if err != nil {
		return ""
	}
	fields := strings.SplitN(strings.TrimSpace(out[strings.Index(out, name)+len(name):]), "    ", 2)
	return strings.TrimSpace(fields[len(fields)-1])
}

// entries are the versions that Windows lists among its programs.
func (h *msiHost) entries() (versions []string) {
	out, _ := h.try("reg", "query", `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`, "/s")
	ours := false
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "HKEY"):
			ours = false
		case strings.Contains(line, "Amazon SSM Agent"):
			ours = true
		case ours && len(f) == 3 && f[0] == "DisplayVersion":
			versions = append(versions, f[2])
		}
	}
	return versions
}

// installed checks what must hold after every installation. The service runs: one launcher, one agent.
func (h *msiHost) installed(version, start string) {
	h.t.Helper()
	for _, name := range []string{mainExe, agentExe, "ssm-cli.exe", "ssm-document-worker.exe", "ssm-session-worker.exe",
		"ssm-session-logger.exe",
		"amazon-ssm-agent.json.template", "seelog.xml.template", "LICENSE", "NOTICE.md"} {
		if _, err := os.Stat(h.path(programs + name)); err != nil {
			h.t.Error(err)
		}
	}
	if out := h.run(programs+agentExe, "-version"); strings.TrimSpace(out) != "SSM Agent version: "+version {
		h.t.Errorf("the program says %s", out)
	}
	for name, want := range map[string]string{"Version": version, "Start": start, "Type": "0x10", "ObjectName": "LocalSystem",
		"DisplayName": "Amazon SSM Agent",
		"ImagePath":   programs + mainExe + " service"} {
		var got string // wine's service manager writes it some time after the installer has ended
		if !comes(time.Minute, func() bool { got = strings.ReplaceAll(h.value(name), `"`, ""); return got == want }) {
			h.t.Errorf("%s of the service is %q, want %q", name, got, want)
		}
	}
	if got := h.entries(); len(got) != 1 || got[0]+".0" != version {
		h.t.Errorf("programs listed: %v, want one %s", got, version)
	}
	h.eventually("the service", func() bool { return len(h.processes(mainExe)) == 1 && len(h.processes(agentExe)) == 1 })
	// The folder of data was looked after (wine keeps no access lists, so what was set cannot be seen), and the first update finds
	// its slots.
	if got := h.value("SSMDataHardened"); got != "0x1" {
		h.t.Errorf("the folder of data was not looked after: %q", got)
	}
	for _, slot := range []string{"0", "1"} {
		if _, err := os.Stat(h.path(data + `InstanceData\pointer\` + slot)); err != nil {
			h.t.Error(err)
		}
	}
}

// removed checks that nothing of the program is left.
func (h *msiHost) removed() {
	h.t.Helper()
	if left, _ := filepath.Glob(h.path(programs + "*.exe")); len(left) != 0 {
		h.t.Errorf("left behind: %v", left)
	}
	if got := h.value("ImagePath") + strings.Join(h.entries(), " "); got != "" {
		h.t.Errorf("left in the registry: %s", got)
	}
	h.eventually("the service to end", func() bool { return len(h.processes(mainExe))+len(h.processes(agentExe)) == 0 })
	for _, gone := range []string{"lock", "pointer", "probation", "ledger", "pulse", "update", "download", "update.lock"} {
		if _, err := os.Stat(h.path(data + `InstanceData\` + gone)); err == nil {
			h.t.Errorf("left behind: %s", gone)
		}
	}
}

// log is what Windows Installer wrote.
func (h *msiHost) log() string {
	b, _ := os.ReadFile(h.path(`C:\msi.log`))
	return strings.ReplaceAll(string(b), "\x00", "")
}

// Install with registration, upgrade with the original's installer and its switches, remove.
func TestTheMSIInstallsRegistersUpgradesAndLeaves(t *testing.T) {
	h, region := newMSIHost(t, pack.Signing{}, "9.1.0.0", "9.2.0.0"), local.Start(t)
	id, code, err := region.CreateActivation(5)
	must(t, err)
	for _, name := range []string{"ENDPOINT", "SOURCE"} { // refused before anything is changed
		h.code("1603", "msiexec", "/i", `C:\9.1.0.0.msi`, "/qn", "/l*v", `C:\msi.log`, "REGION=local", name+"=http://mirror.example")
		if log, image := h.log(), h.value("ImagePath"); strings.Contains(log, "InstallInitialize") || image != "" {
			t.Errorf("%s: %q, %s", name, image, log)
		}
	}
	shown := h.watchFor(code)
	h.code("0", "msiexec", "/i", `C:\9.1.0.0.msi`, "/qn", "/l*v", `C:\msi.log`, "REGION=local", "ACTIVATION_CODE="+code, "ID="+id,
		"ENDPOINT="+region.URL(), "SOURCE=http://mirror.example/", "ALLOW_INSECURE=1")
	if lines := shown(); len(lines) != 0 {
		t.Errorf("the activation code stood on command lines of the agent: %q", lines)
	}
	if out, err := h.try("reg", "query", `HKLM\SOFTWARE\AmazonSSMAgentActivation`); err == nil {
		t.Errorf("the activation is still in the registry: %s", out)
	}
	h.installed("9.1.0.0", "0x2")
	settings, err := os.ReadFile(h.path(programs + "amazon-ssm-agent.json"))
	must(t, err)
	if want := "http://mirror.example/amazon-ssm-local/ssm-agent-manifest.json"; !strings.Contains(string(settings), want) {
		t.Errorf("no %s in %s", want, settings)
	}
	nodes := region.Instances()
	if len(nodes) != 1 {
		t.Fatalf("nodes: %+v", nodes)
	}
	node := nodes[0].InstanceID
	h.eventually("a ping", func() bool { return len(region.Pings(node)) > 0 })

	// What an admin set survives an upgrade, and so does the registration, though a code is given again.
	h.run("reg", "add", serviceKey, "/v", "Environment", "/t", "REG_MULTI_SZ", "/d", "http_proxy=http://proxy", "/f")
	h.run("reg", "add", serviceKey, "/v", "Start", "/t", "REG_DWORD", "/d", "3", "/f")
	h.write(programs+"seelog.xml", "an admin's")
	before := len(region.Pings(node))
	h.code("0", `C:\9.2.0.0.exe`, "/quiet", "/norestart", "/log", `C:\msi.log`, "ALLOWEC2INSTALL=YES", "SKIPSYMLINKSCAN=YES",
		"REGION=local", "CODE="+code, "ID="+id)
	h.installed("9.2.0.0", "0x3")
	if got := h.value("Environment"); got != "http_proxy=http://proxy" {
		t.Errorf("Environment is %q", got)
	}
	h.eventually("a ping after the upgrade", func() bool { return len(region.Pings(node)) > before })
	if nodes := region.Instances(); len(nodes) != 1 {
		t.Errorf("the upgrade registered again: %d nodes", len(nodes))
	}

	h.code("0", `C:\9.2.0.0.exe`, "/uninstall", "/quiet", "/norestart")
	h.removed()
	for _, kept := range []string{programs + "seelog.xml", programs + "amazon-ssm-agent.json", data + `InstanceData\registration`} {
		if _, err := os.Stat(h.path(kept)); err != nil {
			t.Errorf("the removal took %v", err)
		}
	}

	// The kept registration is used again; with CLEARREGISTRATION it goes, too.
	before = len(region.Pings(node))
	h.code("0", "msiexec", "/i", `C:\9.2.0.0.msi`, "/qn", "/l*v", `C:\msi.log`)
	h.installed("9.2.0.0", "0x2")
	h.eventually("a ping of the node of before", func() bool { return len(region.Pings(node)) > before })
	h.code("0", `C:\9.2.0.0.exe`, "/uninstall", "/quiet", "/log", `C:\msi.log`, "CLEARREGISTRATION=YES")
	h.removed()
	if text, err := os.ReadFile(h.path(data + `InstanceData\registration`)); err == nil && strings.Contains(string(text), node) {
		t.Errorf("the registration is still there: %s", text)
	}
}

// Refusals leave everything as it is; a repair brings back what is missing. (wine forgets the upgrade code with the removal of an
// old version, so the newer one is installed first here.)
func TestARefusedMSILeavesEverythingAsItIs(t *testing.T) {
	h := newMSIHost(t, pack.Signing{}, "9.1.0.0", "9.2.0.0")
	h.code("1603", "msiexec", "/i", `C:\9.2.0.0.msi`, "/qn", "CODE=x")
	h.removed()
	h.code("0", "msiexec", "/i", `C:\9.2.0.0.msi`, "/qn", "/l*v", `C:\msi.log`)
	h.installed("9.2.0.0", "0x2")
	h.code("1603", "msiexec", "/i", `C:\9.1.0.0.msi`, "/qn", "/l*v", `C:\msi.log`)
	// wine shows the reason to people only; what it logs is where it ended.
	if log := h.log(); !strings.Contains(log, "LaunchConditions. Return value 0.") || strings.Contains(log, "InstallInitialize") {
		t.Errorf("it did not end at the launch conditions:\n%s", log)
	}
	h.code("1603", `C:\9.1.0.0.exe`, "/quiet")
	h.installed("9.2.0.0", "0x2")

	must(t, os.Remove(h.path(programs+"NOTICE.md")))
	must(t, os.Remove(h.path(programs+"ssm-cli.exe")))
	// What /fa is short for; wine does not know that word.
	h.code("0", "msiexec", "/i", `C:\9.2.0.0.msi`, "REINSTALL=ALL", "REINSTALLMODE=amus", "/qn", "/l*v", `C:\msi.log`)
	h.installed("9.2.0.0", "0x2")

	h.run("reg", "add", serviceKey, "/v", "Start", "/t", "REG_DWORD", "/d", "4", "/f")
	h.code("0", "msiexec", "/x", `C:\9.2.0.0.msi`, "/qn", "/l*v", `C:\msi.log`)
	h.removed()
}

// On a Windows where its folder cannot be removed (this wine knows no way of deleting that Go knows, and no patch helps here) the
// installer still ends with msiexec's code, and says where the folder lies.
func TestTheInstallerEndsWithMsiexecsCodeWhereItsFolderStays(t *testing.T) {
	h := newMSIHostOn(plainWindows(t), pack.Signing{}, "9.1.0.0", "9.2.0.0")
	h.code("0", `C:\9.2.0.0.exe`, "/quiet", "/norestart")
	h.code("1603", `C:\9.1.0.0.exe`, "/quiet", "/norestart")
	h.code("87", `C:\9.1.0.0.exe`, "/what")
	h.code("0", `C:\9.2.0.0.exe`, "/uninstall", "/quiet", "/norestart")
	if left, _ := filepath.Glob(h.path(`C:\windows\[tT]emp\AmazonSSMAgentSetup-*`)); len(left) == 0 {
		t.Error("the folders were removed: this test shows nothing")
	}
}
