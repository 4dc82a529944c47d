//go:build unix

package pack_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// tools stand in for the programs that update scripts call. What counts is written to $T/log; the state of the machine is
// in files of $T: running, installed (a version), fail-<tool> (its exit code and words), pid1, upstart.
var tools = map[string]string{
	"sleep": ``,
	"init":  `[ -e $T/upstart ] && echo "init (upstart 1.12)"; exit 0`,
	"initctl": `case "$1" in
status) if [ -e $T/running ]; then echo "$2 start/running, process 7"; else echo "$2 stop/waiting"; fi ;;
start) touch $T/running; echo "$1" >>$T/log ;;
stop) rm -f $T/running; echo "$1" >>$T/log ;;
esac`,
	"systemctl": `[ -e $T/upstart ] && exit 1
case "$1" in
'') [ -e $T/nosystemd ] || echo "-.mount loaded active mounted Root Mount" ;;
is-active) [ -e $T/running ] ;;
start) [ -e $T/nostart ] || touch $T/running; echo start >>$T/log ;;
stop) rm -f $T/running; echo stop >>$T/log ;;
show) [ -e $T/fragment ] && echo "FragmentPath=$(cat $T/fragment)" ;;
daemon-reload) ;;
esac`,
	"yum": `echo "yum $*" >>$T/log
if [ -e $T/fail-yum ]; then cat $T/fail-yum; exit 1; fi
case "$*" in *remove*) rm -f $T/installed ;; *) cp $T/offered $T/installed; echo /new >$T/fragment ;; esac`,
	"rpm": `case "$1" in
-q) [ -e $T/installed ] || exit 1; cat $T/installed; exit 0 ;;
esac
echo "rpm $*" >>$T/log
if [ -e $T/fail-rpm ]; then cat $T/fail-rpm; exit 3; fi
case "$1" in --erase) rm -f $T/installed ;; *) cp $T/offered $T/installed; echo /new >$T/fragment ;; esac`,
	"dpkg-query": `[ -e $T/installed ] || exit 1
printf 'install ok installed %s' "$(cat $T/installed)"`,
	"dpkg": `case "$1" in
-I) echo " Version: $(cat $T/offered)"; exit 0 ;;
-r) echo "dpkg -r" >>$T/log; if [ -e $T/fail-dpkg ]; then exit 1; fi; rm -f $T/installed; exit 0 ;;
esac
echo "dpkg -i" >>$T/log
if [ -e $T/fail-dpkg ]; then cat $T/fail-dpkg; exit 1; fi
cp $T/offered $T/installed`,
	"launchctl": `case "$1" in
list) [ -e $T/loaded ]; exit ;;
load) [ -e $T/noload ] || touch $T/loaded ;;
unload) rm -f $T/loaded ;;
esac
echo "launchctl $1 $2" | sed "s|$T||" >>$T/log`,
	"pkgutil": `case "$1" in
--pkgs) [ ! -e $T/receipt ] || echo com.amazon.aws.ssm ;;
--forget) rm -f $T/receipt; echo "pkgutil $*" >>$T/log ;;
esac`,
	"tar":              `case "$1" in -x*) [ ! -e $T/fail-tar ] || exit 2 ;; esac; PATH=/usr/bin:/bin; exec tar "$@"`,
	"amazon-ssm-agent": `echo "agent $*${SSM_ACTIVATION_CODE:+ with $SSM_ACTIVATION_ID:$SSM_ACTIVATION_CODE}" >>$T/log; [ ! -e $T/fail-agent ]`,
	"snap":             `echo "snap $*" >>$T/log; [ "$1" = install ] && [ -e $T/fail-snap ] && exit 10; exit 0`,
}

// updating is one machine for update scripts.
type updating struct {
	t   *testing.T
	dir string
}

func newUpdating(t *testing.T, files map[string]string) updating {
	t.Helper()
	u := updating{t, t.TempDir()}
	files["offered"] = "9.1.0.0"
	if files["pid1"] == "" {
		files["pid1"] = "systemd"
	}
	for name, text := range tools {
		u.write("bin/"+name, "#!/bin/sh\n"+text+"\n")
	}
	for name, text := range files {
		u.write(name, text+"\n")
	}
	return u
}

func (u updating) write(name, text string) {
	path := filepath.Join(u.dir, name)
	os.MkdirAll(filepath.Dir(path), 0o755)
	syscall.ForkLock.RLock() // a process that another test starts right now would keep the file open: "text file busy"
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		u.t.Fatal(err)
	}
}

// run runs a script and returns its exit code, what the tools were told, and what was printed.
func (u updating) run(script string, args ...string) (code int, told, printed string) {
	u.t.Helper()
	head, _ := os.ReadFile("assets/update/head.sh")
	body, err := os.ReadFile("assets/update/" + script)
	if err != nil {
		u.t.Fatal(err)
	}
	text := strings.NewReplacer("/proc/1/comm", u.dir+"/pid1", "/sbin/init", u.dir+"/bin/init", "/etc/systemd/system", u.dir+"/units",
		"/Library/", u.dir+"/disk/Library/", "/opt/aws/", u.dir+"/disk/opt/aws/", "-C /", "-C "+u.dir+"/disk").
		Replace(string(head) + string(body))
	u.write("work/"+filepath.Base(script), text)
	cmd := exec.Command("/bin/sh", append([]string{filepath.Join(u.dir, "work", filepath.Base(script))}, args...)...)
	cmd.Env = append(os.Environ(), "T="+u.dir, "PATH="+filepath.Join(u.dir, "bin")+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		u.t.Fatal(err)
	}
	log, _ := os.ReadFile(filepath.Join(u.dir, "log"))
	os.Remove(filepath.Join(u.dir, "log"))
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(strings.TrimSpace(string(log)), "\n", "; "), string(out)
}

func TestUpdateScriptsAnswerAsUpdatersExpect(t *testing.T) {
	const yum, rpm = "yum -y --cacheonly localinstall amazon-ssm-agent.rpm", "rpm -U amazon-ssm-agent.rpm"
	const gone, erase = "yum -y --cacheonly remove amazon-ssm-agent", "rpm --erase amazon-ssm-agent"
	type machine = map[string]string
	for name, c := range map[string]struct {
		machine machine
		script  string
		code    int
		told    string
		printed string
	}{
		"rpm first":       {machine{}, "rpm/install.sh", 0, yum + "; start", "Installed version: '9.1.0.0'"},
		"rpm upstart":     {machine{"upstart": ""}, "rpm/install.sh", 0, yum + "; start", ""},
		"rpm of ours":     {machine{"installed": "9.0.0.0", "running": ""}, "rpm/install.sh", 0, yum, "is running"},
		"rpm of original": {machine{"installed": "3.3.987.0", "running": ""}, "rpm/install.sh", 0, "stop; " + yum + "; start", ""},
		"rpm without yum": {machine{"fail-yum": "no"}, "rpm/install.sh", 0, yum + "; " + rpm + "; start", ""},
		"rpm already": {machine{"fail-yum": "", "fail-rpm": "package x is already installed", "installed": "3.3.1.0", "running": ""},
			"rpm/install.sh", 0, "stop; " + yum + "; " + rpm + "; start", "Install was successful"},
		"rpm fails": {machine{"fail-yum": "", "fail-rpm": "error: disk", "installed": "3.3.1.0", "running": ""}, "rpm/install.sh", 125,
			"stop; " + yum + "; " + rpm + "; start", "Package manager failed with exit code '3'\nerror: disk"},
		"rpm no init": {machine{"nosystemd": ""}, "rpm/install.sh", 124, "",
			"The amazon-ssm-agent is not supported on this platform. Please visit"},
		"rpm no start": {machine{"nostart": ""}, "rpm/install.sh", 1, yum + "; start", "does not run"},
		"rpm arguments": {machine{}, "rpm/install.sh register-managed-instance a b", 1, "",
			"[ERROR] Not enough parameters for RegisterManagedInstance."},
		"rpm register": {machine{"running": ""}, "rpm/install.sh register-managed-instance code id eu-west-1", 0, "stop; " + yum +
			"; agent -register -y -region eu-west-1 with id:code; start", ""},
		"rpm register no": {machine{"running": "", "fail-agent": ""}, "rpm/install.sh register-managed-instance code id eu-west-1", 1,
			"stop; " + yum + "; agent -register -y -region eu-west-1 with id:code; start", ""},
		"rpm away":         {machine{"installed": "9.1.0.0", "running": ""}, "rpm/uninstall.sh", 0, gone, ""},
		"rpm away not yum": {machine{"installed": "9.1.0.0", "fail-yum": ""}, "rpm/uninstall.sh", 0, gone + "; " + erase, ""},
		"rpm away fails": {machine{"installed": "9.1.0.0", "fail-yum": "", "fail-rpm": ""}, "rpm/uninstall.sh", 125, gone + "; " + erase,
			"did not remove"},
		"rpm away nothing": {machine{}, "rpm/uninstall.sh", 0, "", ""},
		"rpm away no init": {machine{"nosystemd": ""}, "rpm/uninstall.sh", 124, "", "not supported"},

		"deb first":        {machine{}, "deb/install.sh", 0, "dpkg -i; start", "Installed version: '9.1.0.0'"},
		"deb upstart":      {machine{"pid1": "init"}, "deb/install.sh", 0, "dpkg -i; start", ""},
		"deb of ours":      {machine{"installed": "9.0.0.0-1", "running": ""}, "deb/install.sh", 0, "dpkg -i", "is running"},
		"deb of original":  {machine{"installed": "3.3.987.0-1", "running": ""}, "deb/install.sh", 0, "stop; dpkg -i; start", ""},
		"deb same version": {machine{"installed": "9.1.0.0", "fail-dpkg": "lock"}, "deb/install.sh", 0, "dpkg -i; start", ""},
		"deb fails": {machine{"installed": "3.3.1.0", "running": "", "fail-dpkg": "lock"}, "deb/install.sh", 125, "stop; dpkg -i; start",
			"lock\nPackage manager failed with exit code '1'"},
		"deb no init":   {machine{"pid1": "sh"}, "deb/install.sh", 124, "", "not supported"},
		"deb arguments": {machine{}, "deb/install.sh nonsense", 1, "", "[ERROR]"},
		"deb register": {machine{}, "deb/install.sh register-managed-instance code id eu-west-1", 0,
			"dpkg -i; agent -register -y -region eu-west-1 with id:code; start", ""},
		"deb register no": {machine{"fail-agent": ""}, "deb/install.sh register-managed-instance code id eu-west-1", 1,
			"dpkg -i; agent -register -y -region eu-west-1 with id:code; start", ""},
		"deb away":         {machine{"installed": "9.1.0.0", "running": ""}, "deb/uninstall.sh", 0, "dpkg -r", ""},
		"deb away fails":   {machine{"installed": "9.1.0.0", "fail-dpkg": ""}, "deb/uninstall.sh", 125, "dpkg -r", ""},
		"deb away no init": {machine{"pid1": "sh"}, "deb/uninstall.sh", 124, "", "not supported"},

		"snap not there":  {machine{}, "deb/snap-install.sh", 1, "", "[ERROR] Snap is not available for this version."},
		"snap no systemd": {machine{"pid1": "init"}, "deb/snap-install.sh", 124, "", "[ERROR] Snap install is not supported on this instance."},
		"snap": {machine{"work/amazon-ssm-agent.snap": "", "work/amazon-ssm-agent.assert": "", "running": ""}, "deb/snap-install.sh",
			0, "stop; snap ack amazon-ssm-agent.assert; snap install amazon-ssm-agent.snap --classic; snap start amazon-ssm-agent", ""},
		"snap fails": {machine{"work/amazon-ssm-agent.snap": "", "work/amazon-ssm-agent.assert": "", "fail-snap": ""},
			"deb/snap-install.sh", 125, "snap ack amazon-ssm-agent.assert; snap install amazon-ssm-agent.snap --classic; snap start amazon-ssm-agent", ""},
		"snap away":       {machine{"running": ""}, "deb/snap-uninstall.sh", 0, "stop", ""},
		"snap away, init": {machine{"pid1": "init"}, "deb/snap-uninstall.sh", 124, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(c.script)
			code, told, printed := newUpdating(t, c.machine).run(words[0], words[1:]...)
			if code != c.code || told != c.told || !strings.Contains(printed, c.printed) {
				t.Errorf("exit %d, want %d\ntold    %q\nwant    %q\nprinted %q, want %q in it", code, c.code, told, c.told, printed, c.printed)
			}
		})
	}
}

// The scripts for macOS, with programs of the same names: every exit code, and what lies on the disk behind them.
func TestUpdateScriptsForMacOSAnswerAsUpdatersExpect(t *testing.T) {
	const job, label = "/disk/Library/LaunchDaemons/com.amazon.aws.ssm.plist", "com.amazon.aws.ssm"
	const load, unload, start = "launchctl load -w", "launchctl unload -w", "launchctl start " + label
	const register = "agent -register -y -region eu-west-1 with id:code"
	type machine = map[string]string
	for name, c := range map[string]struct {
		machine machine
		archive string // a good one, "damaged" or none
		script  string
		code    int
		told    string
		printed string
	}{
		"first":      {machine{}, "good", "install.sh", 0, load + "; " + start, ""},
		"loaded":     {machine{"loaded": ""}, "good", "install.sh", 0, unload + "; " + load + "; " + start, ""},
		"no archive": {machine{"loaded": ""}, "", "install.sh", 1, "", "[ERROR] amazon-ssm-agent.tar.gz is missing"},
		"damaged":    {machine{"loaded": ""}, "damaged", "install.sh", 125, "", "[ERROR] amazon-ssm-agent.tar.gz is damaged"},
		"disk full":  {machine{"loaded": "", "fail-tar": ""}, "good", "install.sh", 125, unload + "; " + load + "; " + start, ""},
		"not loaded": {machine{"noload": ""}, "good", "install.sh", 1, load + "; " + start, "com.amazon.aws.ssm is not loaded"},
		"register": {machine{"loaded": ""}, "good", "install.sh register-managed-instance code id eu-west-1", 0, unload + "; " +
			register + "; " + load + "; " + start, ""},
		"register fails": {machine{"loaded": "", "fail-agent": ""}, "good", "install.sh register-managed-instance code id eu-west-1", 1,
			unload + "; " + register + "; " + load + "; " + start, ""},
		"arguments": {machine{"loaded": ""}, "good", "install.sh register-managed-instance code", 1, "",
			"[ERROR] Not enough parameters for RegisterManagedInstance."},
		"other argument":  {machine{"loaded": ""}, "good", "install.sh nonsense", 1, "", "[ERROR] Unknown argument nonsense."},
		"away":            {machine{"loaded": "", "receipt": ""}, "", "uninstall.sh", 0, unload + "; pkgutil --forget " + label, ""},
		"away, a tar":     {machine{"loaded": ""}, "", "uninstall.sh", 0, unload, ""},
		"away, no daemon": {machine{"receipt": ""}, "", "uninstall.sh", 0, "pkgutil --forget " + label, ""},
		"away, nothing":   {machine{}, "", "uninstall.sh", 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpdating(t, c.machine)
			u.write("disk/opt/aws/ssm/data/registration", "kept")
			if strings.HasPrefix(c.script, "uninstall") {
				u.write("disk/opt/aws/ssm/bin/ssm-cli", "")
				u.write("disk/opt/aws/ssm/README.md", "")
				u.write(job, "")
			}
			switch c.archive {
			case "damaged":
				u.write("work/amazon-ssm-agent.tar.gz", "no gzip")
			case "good":
				u.write("parts/opt/aws/ssm/bin/amazon-ssm-agent", "#!/bin/sh\n"+tools["amazon-ssm-agent"]+"\n")
				u.write("work/x", "")
				if out, err := exec.Command("tar", "-czf", filepath.Join(u.dir, "work/amazon-ssm-agent.tar.gz"), "-C", filepath.Join(u.dir, "parts"),
					"opt").CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			words := strings.Fields(c.script)
			code, told, printed := u.run("darwin/"+words[0], words[1:]...)
			if code != c.code || told != c.told || !strings.Contains(printed, c.printed) {
				t.Errorf("exit %d, want %d\ntold    %q\nwant    %q\nprinted %q, want %q in it", code, c.code, told, c.told, printed, c.printed)
			}
			there := func(path string) bool { _, err := os.Stat(filepath.Join(u.dir, path)); return err == nil }
			if !there("disk/opt/aws/ssm/data/registration") {
				t.Error("data is gone")
			}
			_, full := c.machine["fail-tar"]
			if installed := there("disk/opt/aws/ssm/bin/amazon-ssm-agent"); installed != (strings.Contains(c.told, "launchctl load") && !full) {
				t.Errorf("the program is there: %v", installed)
			}
			if strings.HasPrefix(c.script, "uninstall") && (there("disk/opt/aws/ssm/bin") || there("disk/opt/aws/ssm/README.md") || there(job)) {
				t.Error("something is left")
			}
		})
	}
}

// A host that moves between two layouts of the rpm is left with a link to a unit that is gone.
func TestAnUpdateRepairsTheWantsLink(t *testing.T) {
	u := newUpdating(t, map[string]string{"fragment": "/old"})
	wants := filepath.Join(u.dir, "units/multi-user.target.wants/amazon-ssm-agent.service")
	os.MkdirAll(filepath.Dir(wants), 0o755)
	os.Symlink("/nowhere/amazon-ssm-agent.service", wants)
	if code, _, printed := u.run("rpm/install.sh"); code != 0 {
		t.Fatal(code, printed)
	}
	if to, _ := os.Readlink(wants); to != "/new" {
		t.Errorf("the link leads to %s", to)
	}
}
