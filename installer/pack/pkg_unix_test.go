//go:build unix

package pack_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mac stands in for launchd and for what else the scripts of the macOS package call; what it is told goes to the file log. The
// target is the running system, kept in a folder.
const mac = `
volume=
home=$TEST_DIR/opt
state=$home/data
agent=$home/bin/amazon-ssm-agent
worker=$home/bin/ssm-agent-worker
plist=$TEST_DIR/plist
properties=$home/registration.properties
mark=$home/service-before-upgrade
sw_vers() { cat "$TEST_DIR/macos" 2>/dev/null || echo 14.5; }
sleep() { case "$1" in 1) command sleep 0.01 ;; *) exec sleep "${TEST_PATIENCE:-$1}" ;; esac; }
launchctl() {
	case "$1" in
	print) [ -e "$TEST_DIR/loaded" ] ;;
	print-disabled) if [ -e "$TEST_DIR/disabled" ]; then echo "	\"$label\" => disabled"; else echo "	\"$label\" => enabled"; fi ;;
	bootstrap)
		if [ -e "$TEST_DIR/busy" ]; then rm "$TEST_DIR/busy"; return 5; fi
		: >"$TEST_DIR/loaded"; echo "$1" >>"$TEST_DIR/log" ;;
	bootout) rm -f "$TEST_DIR/loaded"; echo "$1" >>"$TEST_DIR/log" ;;
	*) echo "$1" >>"$TEST_DIR/log" ;;
	esac
}
`

// machine is a Mac for scripts.
type machine struct {
	t   *testing.T
	dir string
}

func newMachine(t *testing.T, words ...string) *machine {
	t.Helper()
	m := &machine{t, t.TempDir()}
	m.write("plist", "job 1", 0o600)
	for _, word := range words {
		m.write(word, "", 0o600)
	}
	return m
}

func (m *machine) write(name, text string, mode os.FileMode) {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) has(name string) bool {
	_, err := os.Stat(filepath.Join(m.dir, name))
	return err == nil
}

// agent puts an agent there that writes down how it is called.
func (m *machine) agent(version string, registers bool) {
	code := 0
	if !registers {
		code = 1
	}
	m.write("opt/bin/amazon-ssm-agent",
		fmt.Sprintf("#!/bin/sh\ncase \"$1\" in\n-version) echo 'SSM Agent version: %s' ;;\n"+
			"*) echo \"agent:$*\" | tr ' ' , >>%[2]q; "+
			"[ \"$1\" != -register ] || echo \"with:$SSM_ACTIVATION_ID:$SSM_ACTIVATION_CODE\" >>%[2]q; exit %[3]d ;;\nesac\n",
			version, filepath.Join(m.dir, "log"), code), 0o755)
}

// run runs a script for the running system, or for another volume; it returns what launchd and agent were told, and the output.
func (m *machine) run(script string, environment ...string) (told, printed string, err error) {
	m.t.Helper()
	text := "set -e\n"
	for _, part := range []string{"functions.sh", "", script} {
		if part == "" {
			text += mac
			continue
		}
		b, err := os.ReadFile("assets/pkg/" + part)
		if err != nil {
			m.t.Fatal(err)
		}
		text += string(b)
	}
	m.write("script", text, 0o600)
	os.Remove(filepath.Join(m.dir, "log"))
	cmd := exec.Command("/bin/sh", filepath.Join(m.dir, "script"), "x.pkg", "/", "/")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TEST_DIR=" + m.dir}, environment...)
	out, err := cmd.CombinedOutput()
	b, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return strings.Join(strings.Fields(string(b)), " "), string(out), err
}

// want runs a script that must succeed, say nothing, and tell exactly this.
func (m *machine) want(told, script string, environment ...string) {
	m.t.Helper()
	got, out, err := m.run(script, environment...)
	if err != nil || got != told || out != "" {
		m.t.Errorf("%s: told %q, want %q; printed %q, %v", script, got, told, out, err)
	}
}

func TestAPkgStartsTheServiceAtAFirstInstallation(t *testing.T) {
	m := newMachine(t)
	m.want("", "preinstall")
	m.agent("9.1.0.0", true)
	m.want("enable bootstrap", "postinstall")
	if m.has("opt/service-before-upgrade") {
		t.Error("a mark is left")
	}
}

// Nothing is stopped before the new files are there; what ran is restarted, by a new definition if there is one.
func TestAPkgRestartsARunningServiceAfterAnUpgrade(t *testing.T) {
	m := newMachine(t, "loaded")
	m.agent("9.1.0.0", true)
	m.want("agent:updater,keep-floor", "preinstall")
	m.agent("9.2.0.0", true)
	m.want("kickstart", "postinstall")

	m.want("agent:updater,keep-floor", "preinstall")
	m.write("plist", "job 2", 0o600)
	m.write("busy", "", 0o600)
	m.want("bootout bootstrap", "postinstall")
}

// An original agent does not know the word that keeps the floor.
func TestAPkgDoesNotAskAnOriginalToKeepItself(t *testing.T) {
	m := newMachine(t, "loaded")
	m.agent("3.3.987.0", true)
	m.want("", "preinstall")
	m.want("kickstart", "postinstall")
}

func TestAPkgLeavesADisabledServiceDisabled(t *testing.T) {
	m := newMachine(t, "disabled")
	m.agent("9.1.0.0", true)
	m.want("agent:updater,keep-floor", "preinstall")
	told, out, err := m.run("postinstall")
	if err != nil || told != "" || !strings.Contains(out, "is disabled, and stays so") {
		t.Errorf("told %q, printed %q, %v", told, out, err)
	}
}

func TestAPkgRefusesAnOldMacOS(t *testing.T) {
	for version, ok := range map[string]bool{"10.15.7": false, "11.7": false, "12.0": true, "26.1": true, "": true, "unknown": true} {
		m := newMachine(t)
		m.write("macos", version, 0o600)
		_, out, err := m.run("preinstall")
		if (err == nil) != ok || !ok && !strings.Contains(out, "macOS 12 or higher is needed; this is "+version) {
			t.Errorf("%s: %q, %v", version, out, err)
		}
	}
}

const registration = "# what to register with\r\n REGION = eu-central-1 \r\nACTIVATION_CODE=abc/DEF+0=\nID=01234567-89ab\n"

func TestAPkgRegistersWithThePropertiesGiven(t *testing.T) {
	m := newMachine(t)
	m.agent("9.1.0.0", true)
	m.write("opt/registration.properties", registration, 0o600)
	told, out, err := m.run("postinstall")
	if want := "agent:-register,-y,-region,eu-central-1 with:01234567-89ab:abc/DEF+0= enable bootstrap"; err != nil || told != want ||
		out != "" {
		t.Errorf("told %q, printed %q, %v", told, out, err)
	}
	if m.has("opt/registration.properties") {
		t.Error("the file with the secret is left")
	}

	m.agent("9.1.0.0", true)
	told, out, err = m.run("postinstall", "SSM_REGION=local", "SSM_ACTIVATION_CODE=c", "SSM_ACTIVATION_ID=i")
	if want := "agent:-register,-y,-region,local with:i:c enable kickstart"; err != nil || told != want || out != "" {
		t.Errorf("environment: told %q, printed %q, %v", told, out, err)
	}
}

// worker puts a worker there that writes down how it is called, and writes or removes settings.
func (m *machine) worker(refuses bool) {
	code := 0
	if refuses {
		code = 1
	}
	m.write("opt/bin/ssm-agent-worker", fmt.Sprintf("#!/bin/sh\nshift\n"+
		"for word; do echo \"<$word>\"; done | tr -d '\\n' >>%[1]q; echo >>%[1]q\n"+
		"case \"$2\" in -undo) rm -f %[2]q ;; -region) [ %[3]d = 1 ] || : >%[2]q; exit %[3]d ;; esac\n",
		filepath.Join(m.dir, "log"), filepath.Join(m.dir, "opt/amazon-ssm-agent.json"), code), 0o755)
}

// Every line of the file of properties has a variable of its own; the worker takes both the same way.
func TestAPkgHandsEndpointSourceAndConsentToTheWorker(t *testing.T) {
	const registered = "agent:-register,-y,-region,local with:i:c <settings><-keep> enable bootstrap"
	for _, c := range []struct{ name, line, want string }{
		{"ENDPOINT", "http://127.0.0.1:7700", "<settings><-region><local><-endpoint><http://127.0.0.1:7700><-allow-insecure=><-source><>"},
		{"SOURCE", "https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}",
			"<settings><-region><local><-endpoint><><-allow-insecure=><-source><https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}>"},
		{"SOURCE", "s3://bucket/pre?region=eu-west-1", "<settings><-region><local><-endpoint><><-allow-insecure=><-source>" +
			"<s3://bucket/pre?region=eu-west-1>"},
		{"SOURCE", "/srv/$(touch x);`y`", "<settings><-region><local><-endpoint><><-allow-insecure=><-source></srv/$(touch x);`y`>"},
	} {
		for _, insecure := range []string{"", "1"} {
			want := strings.Join(strings.Fields(strings.Replace(c.want, "-allow-insecure=", "-allow-insecure="+insecure, 1)+" "+registered), " ")
			m := newMachine(t)
			m.agent("9.1.0.0", true)
			m.worker(false)
			m.write("opt/registration.properties", "REGION=local\nCODE=c\nID=i\n"+c.name+"="+c.line+"\nALLOW_INSECURE="+insecure+"\n", 0o600)
			m.want(want, "postinstall")
			if m.has("x") || !m.has("opt/amazon-ssm-agent.json") {
				t.Errorf("%s=%s: no settings, or a text was run", c.name, c.line)
			}

			m = newMachine(t)
			m.agent("9.1.0.0", true)
			m.worker(false)
			m.want(want, "postinstall", "SSM_REGION=local", "SSM_ACTIVATION_CODE=c", "SSM_ACTIVATION_ID=i", "SSM_"+c.name+"="+c.line,
				"SSM_ALLOW_INSECURE="+insecure)
		}
	}
}

func TestAPkgLeavesSettingsThatAreThere(t *testing.T) {
	m := newMachine(t)
	m.agent("9.1.0.0", true)
	m.worker(false)
	m.write("opt/amazon-ssm-agent.json", "{}", 0o600)
	m.write("opt/registration.properties", registration+"SOURCE=https://other\n", 0o600)
	told, out, err := m.run("postinstall")
	if err != nil || strings.Contains(told, "settings") || !strings.Contains(out, "is there already and stays") {
		t.Errorf("told %q, printed %q, %v", told, out, err)
	}
}

// A try that ends without a registration leaves no settings that the next one would find in its way.
func TestAPkgTakesSettingsBackWhereTheRegistrationFails(t *testing.T) {
	m := newMachine(t)
	m.agent("9.1.0.0", false)
	m.worker(false)
	m.write("opt/registration.properties", registration+"ENDPOINT=https://other\n", 0o600)
	told, out, err := m.run("postinstall")
	if err == nil || !strings.Contains(told, "<settings><-undo>") || m.has("opt/amazon-ssm-agent.json") {
		t.Errorf("told %q, printed %q, %v", told, out, err)
	}
}

func TestAPkgRegistersNotWhereTheWorkerRefusesTheSettings(t *testing.T) {
	m := newMachine(t)
	m.agent("9.1.0.0", true)
	m.worker(true)
	m.write("opt/registration.properties", registration+"SOURCE=http://other\n", 0o600)
	told, out, err := m.run("postinstall")
	if err == nil || strings.Contains(told, "-register") || !strings.HasSuffix(told, "enable bootstrap") ||
		!strings.Contains(out, "ALLOW_INSECURE") || !m.has("opt/registration.properties") {
		t.Errorf("told %q, printed %q, %v", told, out, err)
	}
}

// What is wrong with a registration is said, as an error of the installation; the service starts all the same, and the secret
// is in no message.
func TestAPkgSaysWhyARegistrationFails(t *testing.T) {
	for what, c := range map[string]struct {
		properties string
		mode       os.FileMode
		says       string
	}{
		"refused":       {registration, 0o600, "could not be registered"},
		"half":          {"REGION=eu-central-1\nCODE=secret\n", 0o600, "needs REGION, CODE and ID"},
		"odd":           {"REGION=eu-central-1\nCODE=secret\nID=$(touch x)\n", 0o600, "needs REGION, CODE and ID"},
		"others write":  {registration, 0o666, "must belong to root"},
		"endpoint ftp":  {registration + "ENDPOINT=ftp://x\n", 0o600, "no http:// or https:// address"},
		"endpoint evil": {registration + "ENDPOINT=http://x|e\n", 0o600, "needs REGION, CODE and ID"},
	} {
		m := newMachine(t)
		m.agent("9.1.0.0", false)
		m.write("opt/registration.properties", c.properties, c.mode)
		told, out, err := m.run("postinstall")
		if err == nil || !strings.HasSuffix(told, "enable bootstrap") || !strings.Contains(out, c.says) || strings.Contains(out, "secret") ||
			strings.Contains(out, "abc") {
			t.Errorf("%s: told %q, printed %q, %v", what, told, out, err)
		}
		if !m.has("opt/registration.properties") {
			t.Errorf("%s: the file is gone", what)
		}
	}
}

// An agent that hangs holds up no installation.
func TestAPkgDoesNotWaitForAnAgentThatHangs(t *testing.T) {
	m := newMachine(t, "loaded")
	m.write("opt/bin/amazon-ssm-agent", "#!/bin/sh\nexec sleep 600\n", 0o755)
	m.write("opt/registration.properties", registration, 0o600)
	if told, out, err := m.run("preinstall", "TEST_PATIENCE=0.1"); err != nil || told != "" {
		t.Errorf("told %q, printed %q, %v", told, out, err)
	}
	told, out, err := m.run("postinstall", "TEST_PATIENCE=0.1")
	if err == nil || told != "kickstart" || !strings.Contains(out, "could not be registered") {
		t.Errorf("told %q, printed %q, %v", told, out, err)
	}
}

func TestAPkgKeepsARegistration(t *testing.T) {
	m := newMachine(t)
	m.agent("9.1.0.0", true)
	m.write("opt/data/registration", "{}", 0o600)
	m.write("opt/registration.properties", registration, 0o600)
	told, out, err := m.run("postinstall")
	if err != nil || told != "enable bootstrap" || !strings.Contains(out, "registered already") {
		t.Errorf("told %q, printed %q, %v", told, out, err)
	}
}

// On another volume the scripts as packed do nothing at all.
func TestAPkgForAnotherVolumeRunsNothing(t *testing.T) {
	_, scripts := archive(t, unpackPkg(t, make1(t, "pkg", input(t, macApple))).outer["amazon-ssm-agent.pkg/Scripts"])
	volume := t.TempDir()
	for name, text := range scripts {
		if name == "." {
			continue
		}
		cmd := exec.Command("/bin/sh", "-c", text, name, "x.pkg", volume, volume)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}
