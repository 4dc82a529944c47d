package takeover_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater/takeover"
)

// newWindows is a world whose archives are zips.
func newWindows(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, "windows")
	w.manifest = manifests.NewManifest(manifests.DefaultUriFormat)
	for _, v := range []string{original, ours} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range []string{"install.ps1", "uninstall.ps1", "AmazonSSMAgentSetup.exe"} {
			f, err := z.Create(name)
			w.put(err)
			_, err = f.Write([]byte(v))
			w.put(err)
		}
		w.put(z.Close())
		sum := sha256.Sum256(b.Bytes())
		w.manifest.Add("amazon-ssm-agent", w.file(), manifests.FileVersion{Version: v, Checksum: hex.EncodeToString(sum[:])})
		w.archives[v] = b.Bytes()
	}
	return w
}

func TestWindowsHasToNameItsVersion(t *testing.T) {
	w := newWindows(t)
	w.script = func(_ *world, _ string, _ time.Duration, command []string) (string, int, bool) {
		return "    Version    REG_SZ    3.3.9999.0\n", 0, command[0] == "reg"
	}
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if last := w.health[len(w.health)-1]; !strings.HasPrefix(last, "UpdateFailed_ErrorInstTargetVersionNotFoundViaReg-9.1.0.0") ||
		!strings.Contains(w.output(), "failed to identify installed target agent version: 3.3.9999.0\n") ||
		strings.Contains(w.output(), "rolledback") {
		t.Errorf("%q; %q; %q", w.health, w.output(), w.ran)
	}
	for _, line := range []string{`schtasks /create /f /tn ssm-setup-takeover /sc onstart /ru SYSTEM /tr`,
		"schtasks /delete /f /tn ssm-setup-takeover",
		"-ExecutionPolicy unrestricted -File"} {
		if !w.said(line) {
			t.Errorf("%q is not among %q", line, w.ran)
		}
	}
	w.clean()
}

func TestWindowsRemovesANewerVersionFirst(t *testing.T) {
	w := newWindows(t)
	w.installed = ours
	w.script = func(_ *world, _ string, _ time.Duration, command []string) (string, int, bool) {
		return "in use", 1, strings.HasSuffix(command[len(command)-1], "uninstall.ps1")
	}
	w.put(w.engine().Take(context.Background(), w.order(original)))
	if last := w.health[len(w.health)-1]; last != "UpdateFailed_downgrade_ErrorUninstallFailed-3.3.9999.0 9.1.0.0" ||
		!strings.Contains(w.output(), "failed to uninstall amazon-ssm-agent 9.1.0.0, ErrorMessage=in use\n") || w.installed != ours {
		t.Errorf("%q; %q", w.health, w.output())
	}
}

func TestAScriptThatHangsIsEndedWithAllThatItStarted(t *testing.T) {
	dir := t.TempDir()
	script, child := filepath.Join(dir, "hangs.sh"), filepath.Join(dir, "child")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nsleep 1000 &\necho $! > "+child+".new && mv "+child+".new "+child+"\nsleep 1000\n"),
		0o700); err != nil {
		t.Fatal(err)
	}
	if _, code, err := takeover.Here(newWorld(t, "deb").layout).Run(context.Background(), dir, 2*time.Second,
		script); err != nil || code != 137 {
		t.Errorf("%d, %v", code, err)
	}
	text, err := os.ReadFile(child)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	for end := time.Now().Add(time.Minute); err == nil && host.Alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what the script started goes on")
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// The folder named like the running updater stays whatever comes of the update; those of other updaters go.
func TestTheRunningUpdatersFolderStays(t *testing.T) {
	for _, sick := range []bool{false, true} {
		w := newWorld(t, "deb")
		w.sick[ours] = sick
		for dir, names := range map[string][]string{"amazon-ssm-agent-updater": {stamp.Version(), "3.3.1.0"}, "amazon-ssm-agent": {"3.3.1.0"}} {
			for _, name := range names {
				w.put(os.MkdirAll(filepath.Join(w.layout.UpdateRoot(), dir, name), 0o700))
			}
		}
		w.put(w.engine().Take(context.Background(), w.order(ours)))
		agent := map[bool]string{false: ours, true: original}[sick]
		for dir, name := range map[string]string{"amazon-ssm-agent-updater": stamp.Version(), "amazon-ssm-agent": agent} {
			if entries, err := os.ReadDir(filepath.Join(w.layout.UpdateRoot(), dir)); err != nil || len(entries) != 1 || entries[0].Name() != name {
				t.Errorf("%t: %s: %v, %v", sick, dir, entries, err)
			}
		}
	}
}

func TestCloudInitIsWaitedForTenMinutes(t *testing.T) {
	w := newWorld(t, "deb")
	path := filepath.Join(w.layout.Root, "usr/bin/cloud-init")
	w.put(os.MkdirAll(filepath.Dir(path), 0o755))
	w.put(os.WriteFile(path, nil, 0o700))
	asked := false
	w.script = func(_ *world, _ string, limit time.Duration, command []string) (string, int, bool) {
		if command[0] == path {
			asked = limit == 10*time.Minute && w.installed == original
		}
		return "", 137, command[0] == path
	}
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if !asked || w.installed != ours {
		t.Errorf("asked %t, %s", asked, w.installed)
	}
}

func TestARunOfSchema1IsAnsweredUnderThePlugin(t *testing.T) {
	for step, key := range map[string]string{"": "aws:updateSsmAgent", "awsupdateSsmAgent": "awsupdateSsmAgent",
		"updateSSMAgent": "updateSSMAgent"} {
		w := newWorld(t, "deb")
		w.step(step)
		w.put(w.engine().Take(context.Background(), w.order(ours)))
		if s, ok := w.lastReply().RuntimeStatus[key]; !ok || (s.Name == "") != (step == "") || !strings.HasPrefix(s.Output,
			"Successfully downloaded manifest\n") {
			t.Errorf("%q: %+v", step, w.lastReply())
		}
	}
}

func TestAScheduledUpdateOfAnOriginalHasNoReply(t *testing.T) {
	w := newWorld(t, "deb")
	o, err := takeover.ParseOrder([]string{"-update", "-selfupdate", "-manifest.url", source, "-source.version", original})
	w.put(err)
	w.put(w.engine().Take(context.Background(), o)) // it is not deprecated
	w.list(original, "Deprecated")
	w.manifest.Packages[0].Files[0].AvailableVersions = slices.DeleteFunc(w.manifest.Packages[0].Files[0].AvailableVersions,
		func(v manifests.FileVersion) bool { return v.Version == original && v.Status == "" })
	w.put(w.engine().Take(context.Background(), o))
	if len(w.told) > 0 || w.installed != "9.2.0.0" || w.health[0] != "UpdateInitialized_SelfUpdate-latest "+original ||
		w.health[len(w.health)-1] != "UpdateSucceeded_SelfUpdate-9.2.0.0 9.2.0.0" {
		t.Errorf("told %q, %s, health %q", w.told, w.installed, w.health)
	}
}

// A region that lists ours alone takes an original over all the same: the package for the way back is in Amazon's own bucket.
func TestTheWayBackIsInAmazonsOwnBucket(t *testing.T) {
	for _, there := range []bool{true, false} {
		w := newWorld(t, "deb")
		w.amazons = w.manifest
		w.manifest = manifests.NewManifest(manifests.DefaultUriFormat)
		w.list(ours, "")
		w.sick[ours] = true
		if !there {
			w.amazons = w.manifest
		}
		e := w.engine()
		e.Amazon = amazons
		w.put(e.Take(context.Background(), w.order(ours)))
		says := "rolledback amazon-ssm-agent to 3.3.9999.0\n"
		if !there {
			says = "amazon-ssm-agent source version 3.3.9999.0 is unsupported on current platform\n"
		}
		if w.installed != original || !strings.Contains(w.output(), says) {
			t.Errorf("%t: %s; %q", there, w.installed, w.output())
		}
	}
}

// A document that waits for its turn begins when another one ends, so it is waited for, too. A reboot that was asked for long ago does not
// come any more.
func TestDocumentsThatWaitForTheirTurnAreWaitedForAndOldRebootsAreNot(t *testing.T) {
	for name, c := range map[string]struct {
		file string // below the root
		text string
		age  time.Duration
		want int // seconds
	}{
		"none":                    {"nothing/here", "{}", 0, 0},
		"its turn has not come":   {"data/pending/x", "{}", 0, 60},
		"it runs":                 {"data/current/x", "{}", time.Hour, 60},
		"it runs, in memory":      {"run/ssm-setup/" + node + "/current/x", "{}", 0, 60},
		"a reboot is to come":     {"data/current/x", `"SuccessAndReboot"`, 0, 210},
		"a reboot was to come":    {"data/current/x", `"SuccessAndReboot"`, time.Hour, 0},
		"a reboot of tomorrow":    {"data/current/x", `"SuccessAndReboot"`, -24 * time.Hour, 210},
		"it is the one that asks": {"data/pending/" + commandID, "{}", 0, 0},
	} {
		w := newWorld(t, "deb")
		data := filepath.Join(w.layout.Data(), node, "document", "state")
		file := filepath.Join(w.layout.Root, c.file)
		if rest, ok := strings.CutPrefix(c.file, "data/"); ok {
			file = filepath.Join(data, rest)
		}
		w.put(os.MkdirAll(filepath.Dir(file), 0o700))
		w.put(os.WriteFile(file, []byte(c.text), 0o600))
		w.put(os.Chtimes(file, time.Now(), time.Now().Add(-c.age)))
		w.put(w.engine().Take(context.Background(), w.order(ours)))
		if len(w.pauses) != c.want || w.installed != ours {
			t.Errorf("%s: %d pauses, want %d; %s", name, len(w.pauses), c.want, w.installed)
		}
	}
}

// The updater exchanges agents. Another package has no archive in the manifest, and the answer is the original's in that case.
func TestAnotherPackageThanTheAgentsIsRefused(t *testing.T) {
	for target, want := range map[string]string{
		ours:     "sudo source version 3.3.9999.0 is unsupported on current platform\nFailed to update sudo to 9.1.0.0\n",
		"latest": "Failed to get latest active version from manifest: cannot find the latest version for package sudo\n",
	} {
		for _, home := range []string{"", amazons} {
			w := newWorld(t, "deb")
			w.amazons = w.manifest
			e := w.engine()
			e.Amazon = home
			w.put(e.Take(context.Background(), w.order(target, "-package.name", "sudo")))
			if w.installed != original || w.lastReply().DocumentStatus != wire.Failed || !strings.Contains(w.output(), want) {
				t.Errorf("%s: %s is there, %q", target, w.installed, w.output())
			}
			w.clean()
		}
	}
}

// A version from the command line is a word of a line in the audit file, whatever it holds.
func TestNoVersionBeginsALineOfItsOwnInTheAuditFile(t *testing.T) {
	w := newWorld(t, "deb")
	o := w.order("9.1.0.0\nagent_update_result UpdateSucceeded\r\u2028")
	o.Source = "3.3.1.0 x\ny"
	w.put(w.engine().Take(context.Background(), o))
	files, err := filepath.Glob(filepath.Join(w.layout.Logs(), "audits", "*"))
	w.put(err)
	text, err := os.ReadFile(files[0])
	w.put(err)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) != 2 || len(strings.Fields(lines[1])) != 4 || strings.Contains(lines[1], "\r") ||
		!strings.HasPrefix(lines[1], "agent_update_result UpdateFailed_ErrorInvalidTargetVersion") {
		t.Errorf("%q", lines)
	}
}

// Old agents gave the account of sessions a shell on macOS: the updater takes it away at its start, where there is that account.
func TestTheAccountOfSessionsLosesItsLoginShellOnMacOS(t *testing.T) {
	const want = "dscl . -create /Users/ssm-user UserShell /usr/bin/false"
	for name, c := range map[string]struct {
		packing string
		absent  int // exit code of id
		want    bool
	}{"macOS": {"tar", 0, true}, "macOS without that account": {"tar", 1, false}, "Debian": {"deb", 0, false},
		"Windows": {"windows", 0, false}} {
		w := newWorld(t, c.packing)
		w.script = func(_ *world, _ string, _ time.Duration, command []string) (string, int, bool) {
			return "", c.absent, command[0] == "id"
		}
		_ = w.engine().Take(context.Background(), w.order(ours))
		if slices.Contains(w.ran, want) != c.want || c.want && w.ran[1] != want {
			t.Errorf("%s: %q", name, w.ran)
		}
	}
}
