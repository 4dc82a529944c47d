//go:build boot && linux

package boot_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

const (
	programs = `C:\Program Files\Amazon\SSM\`
	data     = `C:\ProgramData\Amazon\SSM\`
	agentExe = "ssm-agent-worker.exe"
	mainExe  = "amazon-ssm-agent.exe"
)

// winHost is a Windows with the two programs in their place, registered to a region of its own.
type winHost struct {
	*prefix
	region *local.Region
	node   string
}

// buildWindows builds the host programs for Windows under a version and returns their folder.
func buildWindows(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	mark := "-X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version=" + version
	if out, err := outside("env", "GOOS=windows", "GOARCH=amd64", "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w "+mark,
		"-o", dir+"/",
		"./cmd/amazon-ssm-agent", "./cmd/ssm-agent-worker"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func newWinHost(t *testing.T) *winHost {
	t.Helper()
	h := &winHost{prefix: windows(t), region: local.Start(t)}
	built := buildWindows(t, "9.1.0.0")
	h.copy(filepath.Join(built, mainExe), programs+mainExe)
	h.copy(filepath.Join(built, agentExe), programs+agentExe)
	config, err := json.Marshal(map[string]any{"Agent": map[string]any{"Region": "local"},
		"Ssm": map[string]any{"Endpoint": h.region.URL()}, "Mds": map[string]any{"Endpoint": h.region.URL()},
		"S3": map[string]any{"Endpoint": h.region.URL()}})
	must(t, err)
	h.write(programs+"amazon-ssm-agent.json", string(config))
	id, code, err := h.region.CreateActivation(1)
	must(t, err)
	out := h.run(programs+mainExe, "-register", "-id", id, "-code", code, "-region", "local", "-y")
	if !strings.Contains(out, "Successfully registered the instance with AWS SSM using Managed instance-id: mi-") {
		t.Fatalf("register: %s", out)
	}
	h.node = h.region.Instances()[0].InstanceID
	t.Cleanup(func() {
		if t.Failed() {
			for _, log := range []string{"amazon-ssm-agent.log", "errors.log", "launcher.log"} {
				text, _ := os.ReadFile(h.path(data + `Logs\` + log))
				t.Logf("%s:\n%s", log, text)
			}
		}
	})
	return h
}

// online waits for a ping that is younger than now.
func (h *winHost) online() {
	h.t.Helper()
	before := len(h.region.Pings(h.node))
	h.eventually("a ping", func() bool { return len(h.region.Pings(h.node)) > before })
}

// one is the only process of a file name.
func (h *winHost) one(name string) int {
	h.t.Helper()
	var pids []int
	if !comes(20*time.Second, func() bool { pids = h.processes(name); return len(pids) == 1 }) {
		h.t.Fatalf("processes of %s: %v, want one", name, pids)
	}
	return pids[0]
}

// windowsRooms are the rooms that ask something of the system.
func windowsRooms() []string {
	return []string{"installer", "installer/host", "installer/pointer", "installer/launcher", "installer/store", "installer/service",
		"installer/unpack", "updater", "agent", "agent/cloud", "agent/health", "agent/identity", "agent/journal", "agent/output",
		"agent/plugins", "agent/runner", "agent/dispatch", "agent/logfile"}
}

// leftOut are the tests of a room that are not run under wine here: testdata/wine-left-out.txt says why. With LONG=1 they alone are run.
func leftOut(t *testing.T, room string) (names []string) {
	t.Helper()
	list, err := os.ReadFile("testdata/wine-left-out.txt")
	must(t, err)
	for line := range strings.Lines(string(list)) {
		if fields := strings.Split(strings.TrimSpace(line), "\t"); len(fields) == 3 && fields[0] == room {
			names = append(names, fields[1])
		}
	}
	return names
}

// A test that was renamed would be left out, or run, without a word.
func TestEveryTestThatIsLeftOutUnderWineExists(t *testing.T) {
	left := 0
	for _, room := range windowsRooms() {
		files, err := filepath.Glob(filepath.Join("..", "..", room, "*_test.go"))
		must(t, err)
		all := ""
		for _, file := range files {
			text, err := os.ReadFile(file)
			must(t, err)
			all += string(text)
		}
		for _, name := range leftOut(t, room) {
			if left++; !strings.Contains(all, "\nfunc "+name+"(") {
				t.Errorf("%s has no %s", room, name)
			}
		}
	}
	list, err := os.ReadFile("testdata/wine-left-out.txt")
	must(t, err)
	if lines := strings.Count(string(list), "\n") - 1; left != lines {
		t.Errorf("%d of %d lines name a room and a test", left, lines)
	}
}

// TestRoomsThatAskTheSystemPassOnWindows runs the tests of the rooms that ask something of the system on Windows.
func TestRoomsThatAskTheSystemPassOnWindows(t *testing.T) {
	w := windows(t)
	limit, long := 4*patience, os.Getenv("LONG") != ""
	if long {
		limit *= 4
	}
	for _, room := range windowsRooms() {
		left := leftOut(t, room)
		if long && len(left) == 0 {
			continue
		}
		name := strings.ReplaceAll(room, "/", "-") + ".test.exe"
		file := filepath.Join(t.TempDir(), name)
		if out, err := outside("env", "GOOS=windows", "GOARCH=amd64", "go", "test", "-trimpath", "-c", "-o", file, "./"+room); err != nil {
			t.Fatalf("%s: %v\n%s", room, err, out)
		}
		w.copy(file, `C:\rooms\`+name)
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		args := []string{`C:\rooms\` + name, "-test.timeout=" + (limit - 2*time.Minute).String()}
		switch names := "^(" + strings.Join(left, "|") + ")$"; {
		case long:
			args = append(args, "-test.v", "-test.run="+names)
		case len(left) > 0:
			t.Logf("%s: left out: %s", room, strings.Join(left, ", "))
			args = append(args, "-test.skip="+names)
		}
		cmd := w.command(ctx, args...)
		cmd.Dir = filepath.Join("..", "..", room)
		out, err := cmd.CombinedOutput()
		if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			t.Errorf("%s: %v\n%s", room, err, out)
		} else if long {
			t.Logf("%s:\n%s", room, out)
		}
		cancel()
	}
}

func TestTheWindowsServiceStartsUpdatesAndStops(t *testing.T) {
	h := newWinHost(t)
	if out := h.run(programs+mainExe, "-version"); strings.TrimSpace(out) != "SSM Agent version: 9.1.0.0" {
		t.Errorf("-version: %s", out)
	}
	h.run("sc", "create", "AmazonSSMAgent", "binPath=", `"`+programs+mainExe+`" service`, "start=", "auto")
	h.setUp()
	h.proxy(ofUser, 0x46, "http=a.example:1;https=b.example:2", "<local>;*.corp.example")
	h.proxy(ofMachine, 0x18, "m.example:3", "")
	before := time.Now()
	h.run("net", "start", "AmazonSSMAgent")
	h.online()
	t.Logf("online after %s", time.Since(before))
	node := h.region.Instances()[0]
	if node.Agent.PlatformType != "Windows" || node.PingStatus != "Online" {
		t.Errorf("the region sees %+v", node)
	}
	launcher := h.one(mainExe)

	// The proxy of the Internet settings counts where the environment names none. (The region is on this machine: no proxy.)
	h.logged("http_proxy: a.example:1", "https_proxy: b.example:2", "no_proxy: *.corp.example")

	// An agent that dies comes back, under the same launcher.
	agent := h.one(agentExe)
	must(t, syscall.Kill(agent, syscall.SIGKILL))
	h.online()
	if again := h.one(agentExe); again == agent || h.one(mainExe) != launcher {
		t.Errorf("agent %d after %d", again, agent)
	}

	// A step for another system's shell is skipped, with its reason. wine's PowerShell does nothing, and that well.
	steps := h.document(`{"schemaVersion": "2.2", "mainSteps": [
		{"name": "shell", "action": "aws:runShellScript", "inputs": {"runCommand": ["echo hello"]}},
		{"name": "power", "action": "aws:runPowerShellScript", "inputs": {"runCommand": ["echo hello"]}}]}`)
	if !strings.Contains(steps[0].Output, "Step execution skipped due to unsupported plugin: aws:runShellScript") {
		t.Errorf("shell: %+v", steps[0])
	}
	if steps[1].Status != "Success" {
		t.Errorf("PowerShell: %+v", steps[1])
	}

	before = time.Now()
	h.run("net", "stop", "AmazonSSMAgent")
	h.eventually("the end of both", func() bool {
		return len(h.processes(mainExe))+len(h.processes(agentExe)) == 0
	})
	t.Logf("stopped after %s", time.Since(before))
	log, err := os.ReadFile(h.path(data + `Logs\launcher.log`))
	if err != nil || !strings.Contains(string(log), "launcher: stopped") || strings.Contains(string(log), "killing") {
		t.Errorf("launcher.log: %s, %v", log, err)
	}
	for _, file := range []string{`InstanceData\Vault\Manifest`, `InstanceData\registration`, `Logs\amazon-ssm-agent.log`} {
		if _, err := os.Stat(h.path(data + file)); err != nil {
			t.Error(err)
		}
	}
	h.run("reg", "delete", ofUser[:strings.LastIndexByte(ofUser, '\\')], "/f")
	h.run("net", "start", "AmazonSSMAgent")
	h.online()
	h.logged("http_proxy: m.example:3") // the machine's, where the account's says nothing
}

// Where Windows keeps proxy settings, and how far its set-up has come.
const (
	connections = `\Microsoft\Windows\CurrentVersion\Internet Settings\Connections\`
	ofUser      = `HKCU\Software` + connections + `DefaultConnectionSettings`
	ofMachine   = `HKLM\SOFTWARE` + connections + `WinHttpSettings`
	setup       = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State`
)

// proxy writes a setting as Windows keeps it: kind, counter, flags (directly, by proxy), then the two lists with their lengths.
func (h *winHost) proxy(value string, kind uint32, servers, bypass string) {
	h.t.Helper()
	var b []byte
	for _, n := range []uint32{kind, 0, 3} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for _, text := range []string{servers, bypass} {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(text))), text...)
	}
	b = append(b, make([]byte, 36)...) // no script; the rest is not known
	at := strings.LastIndexByte(value, '\\')
	h.run("reg", "add", value[:at], "/v", value[at+1:], "/t", "REG_BINARY", "/d", hex.EncodeToString(b), "/f")
}

// logged expects lines in the agent's log.
func (h *winHost) logged(lines ...string) {
	h.t.Helper()
	log, err := os.ReadFile(h.path(data + `Logs\amazon-ssm-agent.log`))
	must(h.t, err)
	for _, line := range lines {
		if !strings.Contains(string(log), line) {
			h.t.Errorf("no %q in the log", line)
		}
	}
}

// setUp starts the service on a Windows that is still being set up (docs/protocol/identity.md, "Service definitions"): it waits, or
// leaves it to EC2Config, and goes to work when the set-up has ended.
func (h *winHost) setUp() {
	h.t.Helper()
	log := func() string {
		text, _ := os.ReadFile(h.path(data + `Logs\launcher.log`))
		return string(text)
	}
	h.run("reg", "add", setup, "/v", "ImageState", "/d", "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE", "/f")
	h.run("sc", "create", "EC2Config", "binPath=", `C:\none.exe`, "start=", "auto")
	_, _ = h.try("net", "start", "AmazonSSMAgent") // may find it ended already
	h.eventually("the end of the service", func() bool {
		return strings.Contains(log(), "by EC2Config, which starts this service afterwards") && len(h.processes(mainExe)) == 0
	})
	h.run("sc", "delete", "EC2Config")
	h.run("net", "start", "AmazonSSMAgent")
	h.eventually("a launcher that waits", func() bool {
		return strings.Contains(log(), "(IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE); waiting for its end")
	})
	if pids := h.processes(agentExe); len(pids) != 0 || len(h.region.Pings(h.node)) != 0 {
		h.t.Errorf("an agent runs: %v", pids)
	}
	h.run("net", "stop", "AmazonSSMAgent") // the wait can be stopped
	h.run("net", "start", "AmazonSSMAgent")
	h.run("reg", "add", setup, "/v", "ImageState", "/d", "IMAGE_STATE_COMPLETE", "/f")
	h.online()
	h.run("net", "stop", "AmazonSSMAgent")
}

// document runs a document and returns what came of its steps.
func (h *winHost) document(text string) []local.Plugin {
	h.t.Helper()
	must(h.t, h.region.PutDocument("Steps", text))
	id, err := h.region.SendCommand("Steps", h.node, nil)
	must(h.t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := h.region.WaitCommand(ctx, id, h.node)
	if err != nil || len(got.Plugins) == 0 {
		h.t.Fatalf("%+v, %v", got, err)
	}
	return got.Plugins
}

// TestWindowsUpdatesGoesBackAndUninstallsUnderARoot installs under a root of its own, updates, goes back and uninstalls, with the
// tool for Windows.
func TestWindowsUpdatesGoesBackAndUninstallsUnderARoot(t *testing.T) {
	w, r, out := windows(t), local.Start(t), t.TempDir()
	tool := filepath.Join(dist, "ssm-setup")
	for _, v := range []string{"9.1.0.0", "9.2.0.0"} {
		for _, args := range [][]string{
			{tool, "build", "--version", v, "--platform", "windows/amd64", "--only", "tar", "--out", out},
			{"env", "AWS_SHARED_CREDENTIALS_FILE=" + r.CredentialsFile(), tool, "publish", "--from", out, "--version", v,
				"--region", "local", "--endpoint", r.URL()},
		} {
			if said, err := outside(args...); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, said)
			}
		}
	}
	exe := filepath.Join(out, "ssm-setup.exe")
	if said, err := outside("env", "GOOS=windows", "GOARCH=amd64", "go", "build", "-trimpath", "-buildvcs=false", "-o", exe,
		"./cmd/ssm-setup"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	w.copy(exe, `C:\ssm-setup.exe`)
	setup := func(args ...string) {
		t.Helper()
		t.Log(w.run(append(append([]string{`C:\ssm-setup.exe`}, args...), "--root", `C:\ssm`)...))
	}
	runs := func(version string) {
		t.Helper()
		w.eventually("a ping of "+version, func() bool {
			nodes := r.Instances()
			return len(nodes) == 1 && nodes[0].PingStatus == "Online" && nodes[0].AgentVersion == version
		})
	}
	id, code, err := r.CreateActivation(1)
	must(t, err)
	setup("install", "--region", "local", "--endpoint", r.URL(), "--version", "9.1.0.0", "--activation-id", id, "--activation-code", code)
	runs("9.1.0.0")
	setup("update", "--version", "9.2.0.0")
	runs("9.2.0.0")
	setup("rollback")
	runs("9.1.0.0")
	setup("uninstall")
	if p := append(w.processes(mainExe), w.processes(agentExe)...); len(p) != 0 {
		t.Errorf("still running after the removal: %v", p)
	}
}
