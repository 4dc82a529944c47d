package takeover_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
	"github.com/ssm-setup/ssm-setup/updater/takeover"
)

// The last row comes after the answer: what it cannot remove is left, and the outcome stays what was answered.
func TestAKeeperThatCannotBeTakenOutChangesNoOutcome(t *testing.T) {
	w := newWorld(t, "deb")
	unit, tries := filepath.Join(w.layout.Root, "etc/systemd/system/ssm-setup-takeover.service"), 0
	w.script = func(_ *world, _ string, _ time.Duration, command []string) (string, int, bool) {
		if command[0] == "systemctl" && command[1] == "disable" {
			if tries++; tries > 3 {
				t.Fatalf("the last row is done again and again: %q", w.health)
			}
			_ = os.Remove(unit)
			w.put(os.MkdirAll(filepath.Join(unit, "x"), 0o700)) // no account can remove it
		}
		return "", 0, false
	}
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	b, err := ledger.Read(w.layout)
	if err != nil || b.Last == nil || !b.Last.Success || b.Last.Kind != ledger.Updated || len(w.told) != 2 {
		t.Errorf("%+v, %v; told %q", b.Last, err, w.told)
	}
	if _, err := os.Stat(w.layout.Own(installer.OwnTakeover)); err == nil {
		t.Error("the record's folder is left")
	}
}

func TestAPanicIsAnsweredAsAFailure(t *testing.T) {
	for part, code := range map[string]string{"dpkg --dry-run": "ErrorUnexpectedThroughPanic",
		"dpkg --force-confdef": "InstallRollback_ErrorUpdateFailRollbackSuccess"} {
		w := newWorld(t, "deb")
		w.script = func(_ *world, _ string, _ time.Duration, command []string) (string, int, bool) {
			if line := strings.Join(command, " "); strings.Contains(line, part) && strings.Contains(line, ours) {
				panic("a map that is not there")
			}
			return "", 0, false
		}
		w.put(w.engine().Take(context.Background(), w.order(ours)))
		if last := w.health[len(w.health)-1]; last != "UpdateFailed_"+code+"-9.1.0.0 "+original || w.installed != original ||
			!strings.Contains(w.output(), "a map that is not there\n") {
			t.Errorf("%s: %s; %q", part, last, w.output())
		}
		w.clean()
	}
}

func TestAnAnswerThatIsOwedHoldsNoLock(t *testing.T) {
	w := newWorld(t, "deb")
	w.offline = 1
	ctx, cancel := context.WithCancel(context.Background())
	w.system.Pause = func(ctx context.Context, d time.Duration) error { cancel(); return ctx.Err() }
	if err := w.engine().Take(ctx, w.order(ours)); !errors.Is(err, takeover.ErrOwed) {
		t.Fatal(err)
	}
	w.offline = 1
	looked := false
	w.system.Pause = func(context.Context, time.Duration) error {
		looked = true
		if _, err := os.Lstat(w.layout.UpdateLock()); err == nil {
			t.Error("another update could not begin")
		}
		return nil
	}
	w.put(w.engine().Resume(context.Background()))
	if !looked || w.lastReply().DocumentStatus != "Success" {
		t.Errorf("%t, told %q", looked, w.told)
	}
}

func TestAnExchangeThatNothingWouldGoOnWithIsNotBegun(t *testing.T) {
	w := newWorld(t, "deb")
	w.script = func(_ *world, _ string, _ time.Duration, command []string) (string, int, bool) {
		return "Read-only file system", 1, command[0] == "systemctl" && command[1] == "enable"
	}
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if w.installed != original || w.said("dpkg") || !strings.Contains(w.output(), "Read-only file system") ||
		w.lastReply().DocumentStatus != "Failed" {
		t.Errorf("%s is installed, by %q; %q", w.installed, w.ran, w.output())
	}
	w.clean()
}

func TestTheRulesOfTheHostCountForAnExchangeToo(t *testing.T) {
	person := ledger.Request{Why: ledger.ByCommandLine, Override: true}
	for name, x := range map[string]struct {
		held bool
		r    ledger.Request
		goes bool
		says string
	}{
		"a hold":             {held: true, r: ledger.Request{Why: ledger.ByDocument}, says: "this host is held: a demo"},
		"a hold, overridden": {held: true, r: person, goes: true},
		"for another version": {r: ledger.Request{IfRunning: manifests.MustVersion("9.2.0.0")},
			says: "the request is for hosts that run 9.2.0.0"},
		"for the one that runs": {r: ledger.Request{IfRunning: manifests.MustVersion(ours)}, goes: true},
	} {
		w := newWorld(t, "rpm")
		w.installed = ours
		if x.held {
			w.put(os.MkdirAll(w.layout.Data(), 0o755)) // UpdateRoot does not lie in it on every system
			_, err := policy.Change(w.layout, func(p *policy.Policy) { p.Hold = &policy.Hold{Reason: "a demo"} })
			w.put(err)
		}
		x.r.Want, x.r.AllowDowngrade, x.r.ID = original, true, "an-id"
		w.put(w.engine().Leave(context.Background(), x.r, ours, source, source, func(string) {}))
		if x.goes != (w.installed == original) {
			t.Errorf("%s: %s is installed", name, w.installed)
		}
		b, err := ledger.Read(w.layout)
		if x.goes {
			continue
		}
		if err != nil || b.Last == nil || b.Last.ID != "an-id" || b.Last.Kind != ledger.FailedKind || b.Last.Code != "ErrorFailedPrecondition" ||
			!strings.Contains(b.Last.Reason, "Failed update precondition check: ") || !strings.Contains(b.Last.Reason, x.says) {
			t.Errorf("%s: %+v, %v", name, b.Last, err)
		}
	}
}

// rpm lists both versions where the power went between the new package's files and the removal of the old one.
func TestATransactionThatWasCutIsDoneAgain(t *testing.T) {
	w := newWorld(t, "rpm")
	w.script = func(w *world, _ string, _ time.Duration, command []string) (string, int, bool) {
		return ours + "\n" + original + "\n", 0, strings.HasPrefix(strings.Join(command, " "), "rpm -q") && w.installed == original
	}
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if w.installed != ours || !w.said("sync") {
		t.Errorf("%s is installed, by %q", w.installed, w.ran)
	}
}

func TestAStepIsNamedByNoPath(t *testing.T) {
	w := newWorld(t, "deb")
	w.step("update")
	w.put(w.engine().Take(context.Background(), w.order(ours, "-output.key", "x/..")))
	if _, ok := w.lastReply().RuntimeStatus["update"]; !ok {
		t.Errorf("%+v", w.lastReply())
	}
}

func TestNoLockOfOursIsLeftBesideAnOriginal(t *testing.T) {
	w := newWorld(t, "deb")
	w.sick[ours] = true
	w.put(os.MkdirAll(w.layout.Pointer().AgentLock(), 0o700))
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if _, err := os.Stat(filepath.Dir(w.layout.Pointer().UpdaterLock())); w.installed != original || err == nil {
		t.Errorf("%s is installed; %v", w.installed, err)
	}
}

// The plugin writes the updater's own process into the lock; the updater takes it from there, holds it through the exchange, and gives it
// back at the end.
func TestTheLockThatAPluginHandsOverIsTaken(t *testing.T) {
	w := newWorld(t, "deb")
	own := strconv.Itoa(os.Getpid()) + "\n"
	w.put(os.WriteFile(w.layout.UpdateLock(), []byte(own), 0o600))
	w.put(os.WriteFile(w.layout.UpdateLock()+".expire", []byte("1\n"), 0o600))
	looked := 0
	w.script = func(_ *world, dir string, _ time.Duration, _ []string) (string, int, bool) {
		if dir == "" {
			return "", 0, false
		}
		looked++
		text, _ := os.ReadFile(w.layout.UpdateLock())
		lapse, _ := os.ReadFile(w.layout.UpdateLock() + ".expire")
		if at, err := strconv.ParseInt(strings.TrimSpace(string(lapse)), 10, 64); string(text) != own || err != nil ||
			time.Until(time.Unix(at, 0)) < 50*time.Minute {
			t.Errorf("the lock holds %q until %q", text, lapse)
		}
		return "", 0, false
	}
	w.put(w.engine().Take(context.Background(), w.order(ours)))
	if looked == 0 || w.installed != ours {
		t.Errorf("looked %d times, %s", looked, w.installed)
	}
	w.clean()
}

// The original cannot answer a command that a worker of ours runs: the exchange waits for it, and is not made where it goes on.
func TestOursDoesNotLeaveACommandThatRuns(t *testing.T) {
	for _, ends := range []bool{true, false} {
		w := newWorld(t, "rpm")
		w.installed = ours
		running := filepath.Join(w.layout.Data(), node, "document", "state", "current", "running")
		w.put(os.MkdirAll(filepath.Dir(running), 0o700))
		w.put(os.WriteFile(running, []byte(`{"DocumentInformation":{"DocumentStatus":"InProgress"}}`), 0o600))
		pause := w.system.Pause
		w.system.Pause = func(ctx context.Context, d time.Duration) error {
			if ends && len(w.pauses) == 500 {
				w.put(os.Remove(running))
			}
			return pause(ctx, d)
		}
		r := ledger.Request{Want: original, AllowDowngrade: true, Why: ledger.ByDocument, ReplyTo: &ledger.ReplyTo{MessageID: messageID,
			PluginKey: "back", PluginName: "aws:updateSsmAgent"}}
		w.put(w.engine().Leave(context.Background(), r, ours, source, source, func(string) {}))
		if (w.installed == original) != ends || w.said("rpm -U --oldpackage") != ends ||
			strings.Contains(w.output(), "check: commands still run on this machine") == ends {
			t.Errorf("%t: %s is installed; %q", ends, w.installed, w.output())
		}
	}
}

func TestWhatTheStepPrintedIsUploadedOnceItIsAnswered(t *testing.T) {
	w := newWorld(t, "deb")
	dir := w.step("update")
	var up []string
	e := w.engine()
	e.Reporter.Upload = func(_ context.Context, bucket, key, file string) error {
		text, err := os.ReadFile(file)
		w.put(err)
		if len(w.deleted) != 1 || !strings.Contains(string(text), "updated successfully to 9.1.0.0\n") {
			t.Errorf("too early: %q, %q", w.deleted, text)
		}
		up = append(up, bucket+" "+key+" "+strings.TrimPrefix(file, dir))
		return errors.New("no such bucket")
	}
	w.put(e.Take(context.Background(), w.order(ours, "-output.bucket", "b", "-output.key", "p/update")))
	if got := strings.Join(up, ";"); got != "b p/update/stdout "+string(filepath.Separator)+"stdout" { // stderr is empty
		t.Errorf("%q", got)
	}
	w.clean()
}

func TestTheLimitOfDownloadsCountsForAnExchangeToo(t *testing.T) {
	for asked, want := range map[int64]int64{0: 20_000, 30_000: 30_000} {
		w := newWorld(t, "rpm")
		w.installed = ours
		e := w.engine()
		e.Rate = 20_000
		w.put(e.Leave(context.Background(), ledger.Request{Want: original, AllowDowngrade: true, LimitRate: asked}, ours, source, source,
			func(string) {}))
		if len(w.rates) != 2 || w.rates[0] != want || w.rates[1] != want {
			t.Errorf("%d: %v", asked, w.rates)
		}
	}
}
