package timer

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Every is how often the program runs, in hours.
const Every = 4

// Timer is the timer of a machine. The zero values of OS, Root and Run are this system.
type Timer struct {
	Program string // absolute path of ssm-setup
	// Keys are files with the keys that a package has to be signed with, by absolute path; AllowUnsigned takes one from elsewhere than
	// Amazon's bucket without a signature. Both are as they were told to the installation, since the clock has no person beside it.
	Keys          []string
	AllowUnsigned bool
	Host          string // what spreads the machines of a fleet

	OS   string                                             // a GOOS
	Root string                                             // the files are written below it
	Run  func(ctx context.Context, command ...string) error // runs a program of the system
}

// way is how one kind of system does it.
type way struct {
	files      map[string]string // path → content
	start, end [][]string        // commands; of those at the end, failures are no failures
}

const (
	units = "/etc/systemd/system/ssm-setup-update"
	job   = "/Library/LaunchDaemons/com.ssm-setup.update.plist"
	task  = "ssm-setup update"
)

// renewal is what ssm-setup is told first. Whether it renews itself is decided then, by the root of trust that the machine has then: no
// command of a timer depends on it.
const renewal = "self-update --scheduled --quiet"

// ErrNone says that this system has nothing that runs programs by the clock.
var ErrNone = fault.New(fault.Refused, "no timer of this system can run ssm-setup",
	"have ssm-setup update run every few hours by other means, or leave --stay-current out")

// Write has the program run. It may be called again.
func (t Timer) Write(ctx context.Context) error {
	w, err := t.way()
	if err != nil {
		return err
	}
	if t.Root == "" {
		if err := host.CheckFolders(filepath.Dir(t.Program), ""); err != nil {
			return fault.Wrap(fault.Refused, fmt.Errorf("a timer would run %s: %w", t.Program, err),
				"copy ssm-setup to a folder of the system's, such as /usr/local/bin, and run it from there")
		}
		for _, key := range t.Keys {
			if err := host.CheckFolders(filepath.Dir(key), ""); err != nil {
				return fault.Wrap(fault.Refused, fmt.Errorf("a timer would trust the key %s: %w", key, err),
					"copy the key to a folder of the system's, such as /etc/ssm-setup, and name it there")
			}
		}
	}
	for path, text := range w.files {
		if err := os.MkdirAll(filepath.Dir(t.Root+path), 0o755); err != nil {
			return err
		}
		if err := host.WriteFile(t.Root+path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, command := range w.start {
		if err := t.run(ctx, command...); err != nil {
			return err
		}
	}
	return nil
}

// Remove takes the timer away; there may be none.
func (t Timer) Remove(ctx context.Context) error {
	w, err := t.way()
	if err != nil {
		return nil //nolint:nilerr // where there can be none, there is none
	}
	if !t.written(w) {
		return nil
	}
	for _, command := range w.end {
		_ = t.run(ctx, command...)
	}
	for path := range w.files {
		if rm := os.Remove(t.Root + path); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
			err = rm
		}
	}
	if _, reload := w.files[units+".timer"]; reload {
		_ = t.run(ctx, "systemctl", "daemon-reload")
	}
	return err
}

// written tells whether there may be a timer: a task of Windows has no file here, so it is always asked to go.
func (t Timer) written(w way) bool {
	for path := range w.files {
		if _, err := os.Lstat(t.Root + path); err == nil {
			return true
		}
	}
	return len(w.files) == 0
}

func (t Timer) run(ctx context.Context, command ...string) error {
	if t.Run != nil {
		return t.Run(ctx, command...)
	}
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", command[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// way is the table of systems.
func (t Timer) way() (way, error) {
	system := t.OS
	if system == "" {
		system = runtime.GOOS
	}
	switch system {
	case "linux":
		if _, err := exec.LookPath("systemctl"); err != nil && t.Run == nil {
			return way{}, ErrNone
		}
		return t.systemd(), nil
	case "darwin":
		return t.launchd(), nil
	case "windows":
		return t.scheduled(), nil
	}
	return way{}, ErrNone
}

func (t Timer) systemd() way {
	renew := "ExecStartPre=-" + quoted(t.Program) + " " + renewal + "\n"
	return way{
		files: map[string]string{
			units + ".service": "[Unit]\nDescription=Keep Amazon SSM Agent current (ssm-setup)\nWants=network-online.target\n" +
				"After=network-online.target\n\n[Service]\nType=oneshot\n" + renew + "ExecStart=" + quoted(t.Program) + t.update(quoted) + "\n",
			units + ".timer": fmt.Sprintf("[Unit]\nDescription=Keep Amazon SSM Agent current (ssm-setup)\n\n[Timer]\nOnCalendar=*-*-* 0/%d:00:00\n"+
				"RandomizedDelaySec=%dh\nFixedRandomDelay=true\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n", Every, Every),
		},
		start: [][]string{{"systemctl", "daemon-reload"}, {"systemctl", "enable", "--now", "ssm-setup-update.timer"}},
		end:   [][]string{{"systemctl", "disable", "--now", "ssm-setup-update.timer"}},
	}
}

// update is what the program is told; quote is how the system takes a path.
func (t Timer) update(quote func(string) string) string {
	words := " update --scheduled --quiet"
	for _, key := range t.Keys {
		words += " --key " + quote(key)
	}
	if t.AllowUnsigned {
		words += " --allow-unsigned"
	}
	return words
}

// quoted is a path as a unit has it.
func quoted(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(path) + `"`
}

func (t Timer) launchd() way {
	at := t.minute()
	var hours strings.Builder
	for hour := at / 60; hour < 24; hour += Every {
		fmt.Fprintf(&hours, "\t\t<dict><key>Hour</key><integer>%d</integer><key>Minute</key><integer>%d</integer></dict>\n", hour, at%60)
	}
	command := xmlText(shellQuoted(t.Program) + " " + renewal + "; " + shellQuoted(t.Program) + t.update(shellQuoted))
	return way{
		files: map[string]string{job: `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key><string>com.ssm-setup.update</string>
	<key>ProgramArguments</key><array><string>/bin/sh</string><string>-c</string><string>` + command + `</string></array>
	<key>StartCalendarInterval</key><array>
` + hours.String() + `	</array>
</dict>
</plist>
`},
		start: [][]string{{"launchctl", "bootstrap", "system", job}},
		end:   [][]string{{"launchctl", "bootout", "system/com.ssm-setup.update"}},
	}
}

func (t Timer) scheduled() way {
	at := t.minute()
	inQuotes := func(path string) string { return `"` + path + `"` }
	command := `cmd /c ""` + t.Program + `" ` + renewal + ` & ` + inQuotes(t.Program) + t.update(inQuotes) + `"`
	return way{
		start: [][]string{{"schtasks", "/Create", "/F", "/TN", task, "/RU", "SYSTEM", "/SC", "HOURLY", "/MO", fmt.Sprint(Every),
			"/ST", fmt.Sprintf("%02d:%02d", at/60, at%60), "/TR", command}},
		end: [][]string{{"schtasks", "/Delete", "/F", "/TN", task}},
	}
}

// minute is the machine's place in the period.
func (t Timer) minute() int {
	h := fnv.New32a()
	h.Write([]byte(t.Host))
	return int(h.Sum32() % (Every * 60))
}

func shellQuoted(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }

func xmlText(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes all
	return b.String()
}
