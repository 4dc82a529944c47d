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
units=$state/../units
wants=$units/multi-user.target.wants/$unit.service
packaged=$state/../packaged
presets="$state/../presets $state/../presets-vendor"
kept=$state/unit-before-upgrade
systemctl=${TEST_SYSTEMCTL-systemctl}
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
	for _, dir := range []string{"state", "units", "packaged", "presets", "presets-vendor"} {
		if err := os.Mkdir(filepath.Join(w.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
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

// In a container or an image no service manager stops the agent: the script does, and it ends no other process that has its id by now.
func TestARemovalEndsAnAgentThatNoServiceManagerRuns(t *testing.T) {
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("this system does not tell by which program a process runs")
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	for script, args := range map[string][]string{"deb/prerm": {"remove"}, "rpm/preun": {"0"}} {
		for name, ends := range map[string]bool{"agent": true, "other": false} {
			w := newWorld(t)
			w.supervisor = ""
			file := filepath.Join(w.dir, "state", name)
			if err := os.WriteFile(file, program, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), file, "600")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			pid := filepath.Join(w.dir, "state", "amazon-ssm-agent.pid")
			if err := os.WriteFile(pid, []byte(strconv.Itoa(cmd.Process.Pid)+"     \n"), 0o644); err != nil {
				t.Fatal(err)
			}
			w.want("disable", script, args...)
			if w.has("state/amazon-ssm-agent.pid") {
				t.Errorf("%s: the pid file is left", script)
			}
			if !ends {
				_ = cmd.Process.Kill()
			}
			if err := <-ended; ends != strings.Contains(err.Error(), "terminated") {
				t.Errorf("%s, %s: %v", script, name, err)
			}
		}
	}
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
		w := newWorld(t, "enabled", "running", "state/ledger", "state/pulse", "state/facts.json", "state/registration")
		for _, dir := range []string{"store/9.2.0.0", "pointer", "probation/7", "lock/agent", "update", "download", "Vault"} {
			os.MkdirAll(filepath.Join(w.dir, "state", dir), 0o755)
		}
		words := strings.Fields(script)
		w.want("stop disable", words[0], words[1:]...)
		for _, name := range []string{"store", "pointer", "probation", "lock", "ledger", "pulse", "facts.json", "update", "download",
			"update.lock", "update.lock.expire"} {
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

// In a chroot, an image or a container that is being built nothing is started; the service is enabled for the first boot, by
// systemctl, which needs no running systemd for that.
func TestPackagesEnableTheServiceWhereNoServiceManagerRuns(t *testing.T) {
	w := newWorld(t)
	w.supervisor = ""
	for _, script := range []struct{ line, told string }{{"deb/preinst install", ""}, {"deb/postinst configure", "enable"},
		{"deb/postinst configure 9.1.0.0-1", ""}, {"deb/prerm remove", "disable"}, {"deb/postrm remove", ""}, {"deb/postrm purge", ""},
		{"rpm/pre 1", ""}, {"rpm/post 1", ""}, {"rpm/posttrans", "preset"}, {"rpm/posttrans", ""}, {"rpm/preun 0", "disable"},
		{"rpm/postun 0", ""}} {
		if strings.HasPrefix(script.line, "rpm/pre 1") {
			os.MkdirAll(filepath.Join(w.dir, "state"), 0o755) // the package's own folder
		}
		words := strings.Fields(script.line)
		w.want(script.told, words[0], words[1:]...)
	}
}

// Where systemd is not installed (yet), the scripts make the link themselves, and read the presets as it does.
func TestPackagesEnableTheServiceWhereSystemdIsNotInstalledYet(t *testing.T) {
	t.Setenv("TEST_SYSTEMCTL", "none")
	link := "units/multi-user.target.wants/amazon-ssm-agent.service"
	isLinked := func(w *world) bool {
		to, err := os.Readlink(filepath.Join(w.dir, link))
		return err == nil && strings.HasSuffix(to, "/units/amazon-ssm-agent.service")
	}
	unit := func() *world {
		w := newWorld(t)
		w.supervisor = ""
		os.WriteFile(filepath.Join(w.dir, "units/amazon-ssm-agent.service"), []byte("[Unit]\n"), 0o644)
		return w
	}
	w := unit()
	w.want("", "deb/preinst", "install")
	w.want("", "deb/postinst", "configure")
	if !isLinked(w) {
		t.Error("the deb makes no link")
	}
	w.want("", "deb/prerm", "remove")
	if w.has(link) {
		t.Error("the deb leaves the link at its removal")
	}
	w.want("", "deb/preinst", "install", "9.1.0.0-1")
	w.want("", "deb/postinst", "configure", "9.1.0.0-1")
	if !isLinked(w) {
		t.Error("the deb that came back makes no link")
	}
	for _, c := range []struct {
		admin, vendor string
		want          bool
	}{{"", "", true}, {"", "80-x.preset enable amazon-ssm-agent.service", true}, {"10-a.preset disable amazon-ssm-agent.service",
		"80-x.preset enable amazon-ssm-agent.service", false}, {"", "99-z.preset disable *", false}, {"80-x.preset disable amazon*",
		"80-x.preset enable amazon-ssm-agent.service", false}, {"99-a.preset disable amazon-ssm-agent.service",
		"80-x.preset enable amazon-ssm-agent.service", true}, {"10-a.preset #disable amazon-ssm-agent.service", "", true}} {
		w := unit()
		for dir, line := range map[string]string{"presets": c.admin, "presets-vendor": c.vendor} {
			if name, text, ok := strings.Cut(line, " "); ok {
				os.WriteFile(filepath.Join(w.dir, dir, name), []byte("# a comment\n"+text+"\n"), 0o644)
			}
		}
		w.want("", "rpm/post", "1")
		w.want("", "rpm/posttrans")
		if isLinked(w) != c.want {
			t.Errorf("%+v: link is there: %v", c, isLinked(w))
		}
	}
}

// A masked service is an admin's word, also where the package was not there before.
func TestPackagesLeaveAMaskedServiceAlone(t *testing.T) {
	for _, scripts := range [][]string{{"deb/preinst install", "deb/postinst configure"}, {"deb/preinst install 9.1.0.0-1",
		"deb/postinst configure 9.1.0.0-1"}, {"rpm/pre 1", "rpm/post 1", "rpm/posttrans"}} {
		w := newWorld(t)
		os.Symlink("/dev/null", filepath.Join(w.dir, "units/amazon-ssm-agent.service"))
		for _, script := range scripts {
			words := strings.Fields(script)
			w.want("", words[0], words[1:]...)
		}
	}
}

// dpkg keeps the settings of a removed package and calls its return no first installation. Where the agent's data was wiped between,
// no note tells how the service stood: it is enabled, as at the first time.
func TestADebThatComesBackAfterItsStateWasWipedIsEnabled(t *testing.T) {
	w := newWorld(t, "enabled", "running")
	w.want("stop disable", "deb/prerm", "remove")
	w.want("", "deb/postrm", "remove")
	os.RemoveAll(filepath.Join(w.dir, "state"))
	w.want("", "deb/preinst", "install", "9.1.0.0-1")
	w.want("enable start", "deb/postinst", "configure", "9.1.0.0-1")

	// disabled while it was installed is the admin's act, also where the data was wiped first
	w = newWorld(t)
	os.RemoveAll(filepath.Join(w.dir, "state"))
	w.want("stop disable", "deb/prerm", "remove")
	w.want("", "deb/preinst", "install", "9.1.0.0-1")
	w.want("", "deb/postinst", "configure", "9.1.0.0-1")
}

// Earlier packages of ours, and the original's, have the unit in /etc. rpm removes it with them, and moves an edited one aside; what an
// admin wrote comes back to its place.
func TestAnRPMKeepsAnEditedUnitOfEarlierPackagesInForce(t *testing.T) {
	const unit, saved = "units/amazon-ssm-agent.service", "units/amazon-ssm-agent.service.rpmsave"
	for name, put := range map[string]func(string) error{
		"edited": func(path string) error { return os.WriteFile(path, []byte("[Service]\nNice=5\n"), 0o644) },
		"masked": func(path string) error { return os.Symlink("/dev/null", path) },
	} {
		w := newWorld(t, "enabled", "running")
		if err := put(filepath.Join(w.dir, unit)); err != nil {
			t.Fatal(err)
		}
		w.want("", "rpm/pre", "2")
		os.Rename(filepath.Join(w.dir, unit), filepath.Join(w.dir, saved)) // rpm's doing
		w.want("restart", "rpm/posttrans")
		if _, err := os.Lstat(filepath.Join(w.dir, unit)); err != nil || w.has(saved) || w.has("state/unit-before-upgrade") {
			t.Errorf("%s: the admin's unit is not back: %v", name, err)
		}
	}
	// an unedited one is gone, whatever a removal of long ago left; the link that enables the service leads to the package's
	w := newWorld(t, "enabled", "running")
	os.MkdirAll(filepath.Join(w.dir, "units/multi-user.target.wants"), 0o755)
	os.WriteFile(filepath.Join(w.dir, unit), []byte("[Service]\n"), 0o644)
	os.WriteFile(filepath.Join(w.dir, saved), []byte("[Service]\nNice=5\n"), 0o644)
	os.Symlink(filepath.Join(w.dir, unit), filepath.Join(w.dir, "units/multi-user.target.wants/amazon-ssm-agent.service"))
	w.want("", "rpm/pre", "2")
	os.Remove(filepath.Join(w.dir, unit))
	os.WriteFile(filepath.Join(w.dir, "packaged/amazon-ssm-agent.service"), []byte("[Service]\n"), 0o644)
	w.want("restart", "rpm/posttrans")
	if to, _ := os.Readlink(filepath.Join(w.dir, "units/multi-user.target.wants/amazon-ssm-agent.service")); !strings.HasSuffix(to,
		"/packaged/amazon-ssm-agent.service") {
		t.Errorf("the link that enables the service leads to %s", to)
	}
	if w.has(unit) || !w.has(saved) {
		t.Error("a file that a removal of long ago left was taken for the admin's unit")
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
