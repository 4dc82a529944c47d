package timer_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/timer"
)

// recorded is a timer whose commands are kept.
func recorded(t *testing.T, system string, calls *[]string) timer.Timer {
	t.Helper()
	return timer.Timer{Program: "/usr/local/bin/ssm-setup", Host: "host-1", OS: system, Root: t.TempDir(),
		Run: func(_ context.Context, command ...string) error {
			*calls = append(*calls, strings.Join(command, " "))
			return nil
		}}
}

func TestATimerIsWrittenAndLeavesNothing(t *testing.T) {
	for system, want := range map[string][]string{
		"linux": {"systemctl daemon-reload", "systemctl enable --now ssm-setup-update.timer", "systemctl disable --now ssm-setup-update.timer",
			"systemctl daemon-reload"},
		"darwin": {"launchctl bootstrap system /Library/LaunchDaemons/com.ssm-setup.update.plist",
			"launchctl bootout system/com.ssm-setup.update"},
		"windows": {`schtasks /Create /F /TN ssm-setup update /RU SYSTEM /SC HOURLY /MO 4 /ST `, "schtasks /Delete /F /TN ssm-setup update"},
	} {
		var calls []string
		w := recorded(t, system, &calls)
		if err := errors.Join(w.Write(context.Background()), w.Remove(context.Background())); err != nil {
			t.Fatal(err)
		}
		if len(calls) != len(want) {
			t.Fatalf("%s: %q", system, calls)
		}
		for i, call := range calls {
			if !strings.HasPrefix(call, want[i]) {
				t.Errorf("%s: %q, want %q", system, call, want[i])
			}
		}
		_ = filepath.WalkDir(w.Root, func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				t.Errorf("%s: %s is left", system, path)
			}
			return err
		})
	}
}

func TestATimersCommandsSayThatNoPersonAskedAndDependOnNoRootOfTrust(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		var calls []string
		w := recorded(t, system, &calls)
		if err := w.Write(context.Background()); err != nil {
			t.Fatal(err)
		}
		all := strings.Join(calls, "\n")
		for _, path := range []string{"/etc/systemd/system/ssm-setup-update.service", "/Library/LaunchDaemons/com.ssm-setup.update.plist"} {
			if text, err := os.ReadFile(w.Root + path); err == nil {
				all += string(text)
			}
		}
		renew, update := strings.Index(all, "self-update --scheduled --quiet"), strings.Index(all, " update --scheduled --quiet")
		if renew < 0 || update < renew {
			t.Errorf("%s: %s", system, all)
		}
	}
}

func TestTheTimerTakesThePackagesThatTheInstallationTook(t *testing.T) {
	for system, want := range map[string]string{"linux": ` update --scheduled --quiet --key "/etc/a key.asc" --key "/etc/b.asc" --allow-unsigned` + "\n",
		"darwin":  ` update --scheduled --quiet --key &#39;/etc/a key.asc&#39; --key &#39;/etc/b.asc&#39; --allow-unsigned</string>`,
		"windows": `" update --scheduled --quiet --key "/etc/a key.asc" --key "/etc/b.asc" --allow-unsigned"`} {
		var calls []string
		w := recorded(t, system, &calls)
		w.Keys, w.AllowUnsigned = []string{"/etc/a key.asc", "/etc/b.asc"}, true
		if err := w.Write(context.Background()); err != nil {
			t.Fatal(err)
		}
		all := strings.Join(calls, "\n")
		for _, path := range []string{"/etc/systemd/system/ssm-setup-update.service", "/Library/LaunchDaemons/com.ssm-setup.update.plist"} {
			if text, err := os.ReadFile(w.Root + path); err == nil {
				all += string(text)
			}
		}
		if !strings.Contains(all, want) {
			t.Errorf("%s: %s", system, all)
		}
	}
}

func TestTheJobOfLaunchdIsXMLAndRunsSixTimesADay(t *testing.T) {
	var calls []string
	w := recorded(t, "darwin", &calls)
	w.Program = `/opt/it's & "so"/ssm-setup`
	if err := w.Write(context.Background()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.Root + "/Library/LaunchDaemons/com.ssm-setup.update.plist")
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(string(text)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	if n := strings.Count(string(text), "<key>Hour</key>"); n != 6 {
		t.Errorf("%d times a day\n%s", n, text)
	}
}

func TestAProgramThatOthersMayChangeIsNotRunByTheClock(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	w := timer.Timer{Program: filepath.Join(dir, "ssm-setup"), OS: "linux", Run: func(context.Context, ...string) error {
		t.Error("a command ran")
		return nil
	}}
	if err := w.Write(context.Background()); err == nil {
		t.Error("it was taken")
	}
}
