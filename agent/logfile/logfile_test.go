package logfile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/logfile"
)

// docs/protocol/identity.md, "Log files": the line, the two files, the console.
func TestALineGoesToFilesAndConsole(t *testing.T) {
	dir, settings := filepath.Join(t.TempDir(), "logs"), t.TempDir()
	var console bytes.Buffer
	logs := logfile.Open(dir, settings, &console)
	defer logs.Close()
	log := logs.Logger().With("room", "mailbox", "node", "mi-1")
	log.Debug("not seen")
	log.Info("polling", "after", 3)
	log.Error("reply not taken", "error", errors.New("no way"))
	text, err := os.ReadFile(filepath.Join(dir, "amazon-ssm-agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{4} INFO \[mailbox\] polling node=mi-1 after=3
\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{4} ERROR \[mailbox\] reply not taken node=mi-1 error="no way"
$`)
	if !want.Match(text) || console.String() != string(text) {
		t.Errorf("%s", text)
	}
	faults, err := os.ReadFile(filepath.Join(dir, "errors.log"))
	if err != nil || strings.Count(string(faults), "\n") != 1 || !strings.Contains(string(faults), "no way") {
		t.Errorf("%v: %s", err, faults)
	}
}

// At one command a second the lines about commands were 20 MB a day in the log of the service manager, beside those in the file.
func TestABriefConsoleGetsNoLineAboutASingleCommand(t *testing.T) {
	dir := t.TempDir()
	var console bytes.Buffer
	logs := logfile.Open(dir, t.TempDir(), &console)
	defer logs.Close()
	logs.Brief()
	log := logs.Logger()
	log.Info("starting", "instance", "mi-1")
	log.Info("command accepted", "messageID", "one")
	log.With("messageID", "one").Info("command ended")
	log.Warn("message dropped", "messageID", "one")
	for _, line := range []string{"starting", "command accepted", "command ended", "message dropped"} {
		text, err := os.ReadFile(filepath.Join(dir, "amazon-ssm-agent.log"))
		if err != nil || !strings.Contains(string(text), line) {
			t.Errorf("the file has no %q, %v", line, err)
		}
		if got, want := strings.Contains(console.String(), line), !strings.HasPrefix(line, "command"); got != want {
			t.Errorf("the console has %q: %t", line, got)
		}
	}
}

// Ids and addresses come from outside: no id begins a line of its own, no password of an address is written.
func TestWhatComesFromOutsideIsPrintable(t *testing.T) {
	var console bytes.Buffer
	logs := logfile.Open(t.TempDir(), t.TempDir(), &console)
	defer logs.Close()
	id := "aws.ssm.x\x1b[2J\n2026-01-01 00:00:00.0000 INFO forged"
	logs.Logger().With("room", "a\nb").With("job", id).Error("message "+id, "id", id, "bell", "x\a",
		"url", errors.New(`Get "http://bob:secret@host/VERSION"`))
	text := console.String()
	if strings.Count(text, "\n") != 1 || strings.ContainsAny(text, "\x1b\a") || strings.Contains(text, "secret") ||
		!strings.Contains(text, `\n2026`) {
		t.Errorf("%q", text)
	}
}

// seelog.xml with minlevel="debug" is the documented way to debug.
func TestSeelogXMLSetsTheLevel(t *testing.T) {
	settings := t.TempDir()
	var console bytes.Buffer
	logs := logfile.Open(t.TempDir(), settings, &console)
	defer logs.Close()
	logs.Logger().Debug("one")
	if err := os.WriteFile(filepath.Join(settings, "seelog.xml"), []byte(`<seelog type="adaptive" minlevel="debug">`), 0o600); err != nil {
		t.Fatal(err)
	}
	logs.Reload()
	logs.Logger().Debug("two")
	if strings.Contains(console.String(), "one") || !strings.Contains(console.String(), "two") {
		t.Error(console.String())
	}
}

// A folder that cannot be written costs lines, never the agent.
func TestALogThatCannotBeWrittenCostsLinesOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	logfile.Open(filepath.Join(path, "logs"), path, nil).Logger().Error("lost")
}
