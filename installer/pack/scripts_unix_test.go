//go:build unix

package pack_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// system stands in for the tools that maintainer scripts call; what they are told goes to the file $log.
const system = `
state=$TEST_STATE
mark=$state/service-before-removal
agent=$state/agent
sysconfig=$state/../sysconfig
log=$state/../log
supervisor() { echo "$TEST_SUPERVISOR"; }
systemctl() {
	case "$1" in
	is-active) if [ "$2" = --quiet ]; then [ -e $state/../snapd ]
		elif [ -e $state/../running ]; then echo active; else echo inactive; return 3; fi ;;
	is-enabled) [ -e $state/../enabled ] ;;
	start | restart) : >$state/../running; echo "$1" >>$log ;;
	stop) rm -f $state/../running; echo "$1" >>$log ;;
	enable) : >$state/../enabled; echo "$1" >>$log ;;
	preset) if [ ! -e $state/../unwanted ]; then : >$state/../enabled; fi; echo "$1" >>$log ;;
	disable) rm -f $state/../enabled; echo "$1" >>$log ;;
	daemon-reload) ;;
	*) echo "$1" >>$log ;;
	esac
}
snap() { [ -e $state/../snap ]; }
refuse_system() { :; }
`

// world is one machine for scripts: state of the service, and what is in the agent's data.
type world struct {
	t          *testing.T
	dir        string
	supervisor string
}

func newWorld(t *testing.T, words ...string) *world {
	t.Helper()
	w := &world{t, t.TempDir(), "systemd"}
	if err := os.Mkdir(filepath.Join(w.dir, "state"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, word := range words {
		w.touch(word)
	}
	return w
}

func (w *world) touch(name string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), nil, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) has(name string) bool {
	_, err := os.Stat(filepath.Join(w.dir, name))
	return err == nil
}

// run runs one script and returns what the service was told, in order, and what the script printed.
func (w *world) run(script string, args ...string) (told, printed string, err error) {
	w.t.Helper()
	functions, err := os.ReadFile("assets/common/functions.sh")
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := os.ReadFile("assets/" + script)
	if err != nil {
		w.t.Fatal(err)
	}
	head := ""
	if strings.HasPrefix(script, "deb/") {
		head = "set -e\n"
	}
	file := filepath.Join(w.dir, "script")
	os.WriteFile(file, []byte(head+string(functions)+system+string(body)), 0o600)
	os.Remove(filepath.Join(w.dir, "log"))
	cmd := exec.Command("/bin/sh", append([]string{file}, args...)...)
	cmd.Env = append(os.Environ(), "TEST_STATE="+filepath.Join(w.dir, "state"), "TEST_SUPERVISOR="+w.supervisor)
	out, err := cmd.CombinedOutput()
	b, _ := os.ReadFile(filepath.Join(w.dir, "log"))
	return strings.Join(strings.Fields(string(b)), " "), string(out), err
}

// want runs a script that must succeed and tell the service exactly this.
func (w *world) want(told, script string, args ...string) {
	w.t.Helper()
	got, out, err := w.run(script, args...)
	if err != nil || got != told || out != "" {
		w.t.Errorf("%s %v: told %q, want %q; printed %q, %v", script, args, got, told, out, err)
	}
}

func TestADebStartsTheServiceAtAFirstInstallation(t *testing.T) {
	w := newWorld(t)
	w.want("", "deb/preinst", "install")
	w.want("enable start", "deb/postinst", "configure", "")
}

// Nothing stops at an upgrade; the last script restarts.
func TestADebRestartsARunningServiceAfterAnUpgrade(t *testing.T) {
	w := newWorld(t, "enabled", "running")
	w.want("", "deb/prerm", "upgrade", "9.2.0.0-1")
	w.want("", "deb/preinst", "upgrade", "9.1.0.0-1")
	w.want("", "deb/postrm", "upgrade", "9.2.0.0-1")
	w.want("restart", "deb/postinst", "configure", "9.1.0.0-1")
}

func TestADebLeavesADisabledServiceDisabled(t *testing.T) {
	w := newWorld(t)
	w.want("", "deb/postinst", "configure", "9.1.0.0-1")
	w = newWorld(t, "running") // disabled, and started by hand
	w.want("restart", "deb/postinst", "configure", "9.1.0.0-1")
}

// The original's own scripts stop and disable before ours run.
func TestADebStartsTheServiceAfterAnOriginal(t *testing.T) {
	newWorld(t).want("enable start", "deb/postinst", "configure", "3.3.987.0-1")
}

func TestADebStartsAnEnabledServiceAfterAnAbort(t *testing.T) {
	newWorld(t, "enabled").want("start", "deb/postinst", "abort-upgrade", "9.2.0.0-1")
	newWorld(t, "enabled", "running").want("", "deb/postinst", "abort-upgrade", "9.2.0.0-1")
	newWorld(t).want("", "deb/postinst", "abort-upgrade", "9.2.0.0-1")
	w := newWorld(t, "enabled", "running")
	w.want("stop disable", "deb/prerm", "remove")
	w.want("enable start", "deb/postinst", "abort-remove")
}

// What an admin disabled stays so, also when the package is removed and comes back.
func TestADebThatComesBackKeepsWhatAnAdminDisabled(t *testing.T) {
	for words, want := range map[string]string{"": "", "enabled running": "enable start", "enabled": "enable", "running": "start"} {
		w := newWorld(t, strings.Fields(words)...)
		w.want("stop disable", "deb/prerm", "remove")
		w.want("", "deb/postrm", "remove")
		w.want("", "deb/preinst", "install", "9.1.0.0-1")
		w.want(want, "deb/postinst", "configure", "9.1.0.0-1")
	}
}

func TestRemovalForgetsVersionsOnly(t *testing.T) {
	for _, script := range []string{"deb/prerm remove", "rpm/preun 0"} {
		w := newWorld(t, "enabled", "running", "state/ledger", "state/pulse", "state/registration")
		for _, dir := range []string{"store/9.2.0.0", "pointer", "probation/7", "lock/agent", "update", "download", "Vault"} {
			os.MkdirAll(filepath.Join(w.dir, "state", dir), 0o755)
		}
		words := strings.Fields(script)
		w.want("stop disable", words[0], words[1:]...)
		for _, name := range []string{"store", "pointer", "probation", "lock", "ledger", "pulse", "update", "download", "update.lock",
			"update.lock.expire"} {
			if w.has("state/" + name) {
				t.Errorf("%s: %s is still there", script, name)
			}
		}
		if !w.has("state/registration") || !w.has("state/Vault") {
			t.Errorf("%s: the registration is gone", script)
		}
	}
}

// A removal takes the update lock: from the dead and the lapsed, from programs that only got the id, and from the process that runs
// this very
// removal.
func TestRemovalTakesTheLock(t *testing.T) {
	other, shell := waiting(t, "cat"), waiting(t, "sh", "-c", "read line; :")
	for name, lock := range map[string][2]string{"none": {"", ""}, "dead": {"999999999\n", "99999999999\n"}, "lapsed": {"1\n", "5\n"},
		"nonsense": {"abc\n", ""}, "own parent": {"PARENT", "99999999999\n"},
		"another program": {other, "99999999999\n"}, "lapsed without a word": {shell, ""}} {
		w := newWorld(t, "enabled", "running")
		if lock[0] != "" {
			pid := strings.Replace(lock[0], "PARENT", strconv.Itoa(os.Getpid()), 1)
			os.WriteFile(filepath.Join(w.dir, "state", "update.lock"), []byte(pid), 0o600)
			old := time.Now().Add(-2 * time.Hour)
			os.Chtimes(filepath.Join(w.dir, "state", "update.lock"), old, old)
			os.WriteFile(filepath.Join(w.dir, "state", "update.lock.expire"), []byte(lock[1]), 0o600)
		}
		if told, out, err := w.run("deb/prerm", "remove"); err != nil || told != "stop disable" {
			t.Errorf("%s: %q, %q, %v", name, told, out, err)
		}
		if w.has("state/update.lock") != (name == "own parent") {
			t.Errorf("%s: lock file there: %v", name, w.has("state/update.lock"))
		}
	}
}

// waiting is the id of a program that runs until the test ends.
func waiting(t *testing.T, program string, args ...string) string {
	cmd := exec.Command(program, args...)
	hold, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hold.Close(); _ = cmd.Wait() })
	return strconv.Itoa(cmd.Process.Pid) + "\n"
}

func TestPackagesRefuseASystemWithTheSnap(t *testing.T) {
	for _, script := range []string{"deb/preinst install", "deb/preinst upgrade 9.1.0.0-1", "rpm/pre 1"} {
		words := strings.Fields(script)
		_, out, err := newWorld(t, "snap", "snapd").run(words[0], words[1:]...)
		if err == nil || out != "-> Amazon-ssm-agent is installed in this instance by snap, please use snap to update or uninstall.\n" {
			t.Errorf("%s: %q, %v", script, out, err)
		}
		newWorld(t).want("", words[0], words[1:]...)
	}
}

func TestPackagesInstallWithoutAServiceManager(t *testing.T) {
	w := newWorld(t)
	w.supervisor = ""
	for _, script := range []string{"deb/preinst install", "deb/postinst configure", "deb/prerm remove", "deb/postrm remove",
		"deb/postrm purge",
		"rpm/pre 1", "rpm/post 1", "rpm/posttrans", "rpm/preun 0", "rpm/postun 0"} {
		words := strings.Fields(script)
		w.want("", words[0], words[1:]...)
	}
}

// Only an agent of ours is asked to keep itself: an original would take the word for a start.
func TestAnUpgradeKeepsTheVersionBefore(t *testing.T) {
	for version, want := range map[string]bool{"9.1.0.0": true, "12.0.0.0": true, "3.3.987.0": false, "90": false} {
		for _, script := range []string{"deb/preinst upgrade x", "rpm/pre 2"} {
			w := newWorld(t, "enabled", "running")
			agent := "#!/bin/sh\nif [ \"$1\" = -version ]; then echo 'SSM Agent version: " + version + "'; else echo \"$*\" >>\"" + w.dir +
				"/asked\"; fi\n"
			os.WriteFile(filepath.Join(w.dir, "state", "agent"), []byte(agent), 0o755)
			words := strings.Fields(script)
			w.want("", words[0], words[1:]...)
			asked, _ := os.ReadFile(filepath.Join(w.dir, "asked"))
			if got := string(asked) == "updater keep-floor\n"; got != want {
				t.Errorf("%s over %s: asked %q", script, version, asked)
			}
		}
	}
}

func TestAnRPMStartsAndRestartsTheServiceAsPresetsSay(t *testing.T) {
	t.Run("first", func(t *testing.T) {
		w := newWorld(t)
		w.want("", "rpm/pre", "1")
		w.want("", "rpm/post", "1")
		w.want("preset start", "rpm/posttrans")
		if w.has("state/service-before-removal") {
			t.Error("the mark is still there")
		}
	})
	t.Run("first, and an admin's preset is against it", func(t *testing.T) {
		w := newWorld(t, "unwanted")
		w.want("", "rpm/post", "1")
		w.want("preset", "rpm/posttrans")
	})
	t.Run("upgrade", func(t *testing.T) {
		w := newWorld(t, "enabled", "running")
		w.want("", "rpm/pre", "2")
		w.want("", "rpm/post", "2")
		w.want("", "rpm/preun", "1")
		w.want("", "rpm/postun", "1")
		w.want("restart", "rpm/posttrans")
	})
	t.Run("upgrade where updates may not restart services", func(t *testing.T) {
		for line, want := range map[string]string{"DISABLE_RESTART_ON_UPDATE=\"yes\"": "", "DISABLE_RESTART_ON_UPDATE=no": "restart",
			"#DISABLE_RESTART_ON_UPDATE=yes": "restart"} {
			w := newWorld(t, "enabled", "running")
			os.WriteFile(filepath.Join(w.dir, "sysconfig"), []byte("## Type: yesno\n"+line+"\n"), 0o644)
			told, out, err := w.run("rpm/posttrans")
			if told != want || err != nil || (out == "") != (want != "") {
				t.Errorf("%s: told %q, printed %q, %v", line, told, out, err)
			}
		}
	})
	t.Run("upgrade of disabled", func(t *testing.T) { newWorld(t).want("", "rpm/posttrans") })
	t.Run("removal", func(t *testing.T) {
		w := newWorld(t, "enabled", "running")
		w.want("stop disable", "rpm/preun", "0")
		w.want("", "rpm/postun", "0")
	})
}
