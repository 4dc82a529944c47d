package updater_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func TestAnUpdateAnswersItsCommand(t *testing.T) {
	w := newWorld(t)
	o := w.run(command(ledger.Request{}))
	if o.Kind != ledger.Updated || !o.Success || o.RunningVersion != ver("9.2.0.0") {
		t.Fatalf("%+v", o)
	}
	w.whole("9.2.0.0")
	if len(w.sent) != 2 || w.sent[0].DocumentStatus != "InProgress" || w.sent[1].DocumentStatus != "Success" {
		t.Fatalf("replies %+v", w.sent)
	}
	if got := w.final(); got.Status != "Success" || got.Code != 0 || got.Name != "aws:updateSsmAgent" {
		t.Errorf("%+v", got)
	}
	has(t, w.final().Output, "Updating amazon-ssm-agent from 9.1.0.0 to 9.2.0.0\n", "Initiating amazon-ssm-agent update to 9.2.0.0\n",
		"amazon-ssm-agent updated successfully to 9.2.0.0\n")
	if !slices.Equal(w.deleted, []string{"aws.ssm.c-1.mi-1"}) {
		t.Errorf("deleted %q", w.deleted)
	}
	if !slices.Equal(w.health, []string{"UpdateInitialized-None 9.1.0.0", "UpdateSucceeded-9.2.0.0 9.2.0.0"}) {
		t.Errorf("health %q", w.health)
	}
	if left, _ := os.ReadDir(filepath.Join(w.layout.Download(), "update")); len(left) != 0 {
		t.Errorf("left in the cache: %v", left)
	}
}

func TestBrokenReleasesAreTakenBack(t *testing.T) {
	for nature, reason := range map[string]string{
		"dead": "its process ended: exit code 3", "hang": "no heartbeat", "mute": "does not reach the service", "brief": "",
	} {
		t.Run(nature, func(t *testing.T) {
			w := newWorld(t)
			w.nature["9.2.0.0"] = nature
			o := w.run(command(ledger.Request{}))
			if o.Kind != ledger.RolledBack || o.Success || o.Code != "ErrorUpdateFailRollbackSuccess" || o.Fault != fault.RolledBack {
				t.Fatalf("%+v", o)
			}
			w.whole("9.1.0.0")
			has(t, o.Reason, reason)
			has(
				t,
				w.final().Output,
				"failed to update amazon-ssm-agent to 9.2.0.0, failed to start the agent, ErrorMessage=",
				"Initiating rollback amazon-ssm-agent to 9.1.0.0",
				"rolledback amazon-ssm-agent to 9.1.0.0",
				"Failed to update amazon-ssm-agent to 9.2.0.0",
			)
			if w.final().Code != 1 || w.final().Status != "Failed" {
				t.Errorf("%+v", w.final())
			}
			has(t, strings.Join(w.health, "\n"), "RollingBack_VerificationRollback_ErrorUpdateFailRollbackSuccess-9.2.0.0 9.1.0.0",
				"UpdateFailed_VerificationRollback_ErrorUpdateFailRollbackSuccess-9.2.0.0 9.1.0.0")
			if _, err := os.Stat(w.layout.Store("9.2.0.0")); err == nil {
				t.Error("the broken version is still in the store")
			}
			// a request without a version does not get it again; one that names it does
			if o := w.run(ledger.Request{}); o.Kind != "held" || !o.Success {
				t.Errorf("again: %+v", o)
			}
			w.nature["9.2.0.0"] = ""
			if o := w.run(ledger.Request{Want: "9.2.0.0"}); o.Kind != ledger.Updated {
				t.Errorf("named: %+v", o)
			}
			if o := w.run(ledger.Request{}); o.Kind != "up-to-date" {
				t.Errorf("a version that proved itself is still held back: %+v", o)
			}
		})
	}
}

func TestAnOutageIsNotTheVersionsFault(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	quiet := e.Pause
	began := w.now
	e.Pause = func(ctx context.Context, d time.Duration) error {
		w.mu.Lock()
		w.reachable = w.now.Sub(began) > 20*time.Minute
		w.mu.Unlock()
		return quiet(ctx, d)
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if err != nil || o == nil || o.Kind != ledger.Updated {
		t.Fatalf("%+v, %v", o, err)
	}
	if w.now.Sub(began) < 20*time.Minute {
		t.Error("confirmed without a round trip")
	}
	w.whole("9.2.0.0")
}

func TestScheduledUpdatesArePostponedInAnOutage(t *testing.T) {
	w := newWorld(t)
	w.reachable = false
	o := w.run(ledger.Request{Why: ledger.ByTimer})
	if o.Kind != ledger.Postponed || !o.Success {
		t.Fatalf("%+v", o)
	}
	w.whole("9.1.0.0")
}

func TestARollbackNeedsNoRegionAndNoProbation(t *testing.T) {
	w := newWorld(t)
	if o := w.run(
		ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback},
	); o.Kind != ledger.NoPrevious ||
		o.Fault != fault.Refused {
		t.Fatalf("nothing to go back to: %+v", o)
	}
	w.run(ledger.Request{})
	w.reachable, w.versions = false, nil
	before := w.now
	o := w.run(ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback})
	if o.Kind != ledger.WentBack || o.RunningVersion != ver("9.1.0.0") {
		t.Fatalf("%+v", o)
	}
	if took := w.now.Sub(before); took > 15*time.Second {
		t.Errorf("took %s: a version confirmed before needs no probation", took)
	}
	w.whole("9.1.0.0")
	w.reachable, w.versions = true, []string{"9.1.0.0", "9.2.0.0"}
	if o := w.run(ledger.Request{Why: ledger.ByTimer}); o.Kind != "held" {
		t.Errorf("a scheduled update brings it back: %+v", o)
	}
	if o := w.run(ledger.Request{}); o.Kind != ledger.Updated {
		t.Errorf("a person may have it again: %+v", o)
	}
}

func TestADowngradeHasToBeAllowed(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	o := w.run(command(ledger.Request{Want: "9.1.0.0"}))
	if o.Kind != "downgrade-refused" || o.Code != "ErrorAttempToDowngrade" || o.Fault != fault.Refused {
		t.Fatalf("%+v", o)
	}
	has(t, w.final().Output, "Updating 9.2.0.0 to an older version 9.1.0.0, please enable allow downgrade to proceed\n",
		"Failed to update amazon-ssm-agent to 9.1.0.0\nNo rollback needed\n",
		"hint: updating amazon-ssm-agent to an older version, please turn on allow downgrade to proceed\n")
	has(t, strings.Join(w.health, "\n"), "UpdateFailed_ErrorAttempToDowngrade-9.1.0.0-NoAlarm")
	w.whole("9.2.0.0")
	if o := w.run(ledger.Request{Want: "9.1.0.0", AllowDowngrade: true}); o.Kind != ledger.Updated {
		t.Fatalf("%+v", o)
	}
	w.whole("9.1.0.0")
}

func TestADamagedPackageIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func([]byte) []byte
		fault fault.Kind
	}{
		"checksum":  {func(b []byte) []byte { b[len(b)-3]++; return b }, fault.Verify},
		"truncated": {func(b []byte) []byte { return b[:len(b)/2] }, fault.Verify},
		"empty":     {func([]byte) []byte { return nil }, fault.Verify},
		"longer":    {func(b []byte) []byte { return append(b, 0) }, fault.Verify},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.spoilt = c.spoil
			o := w.run(command(ledger.Request{}))
			if o.Kind != ledger.FailedKind || o.Fault != c.fault || o.Code != "ErrorTargetPkgDownload" {
				t.Fatalf("%+v", o)
			}
			has(t, w.final().Output, "Failed to update amazon-ssm-agent to 9.2.0.0\nNo rollback needed\n")
			w.whole("9.1.0.0")
			if entries, _ := os.ReadDir(w.layout.StoreDir()); len(entries) > 0 {
				t.Errorf("in the store: %v", entries)
			}
			w.spoilt = nil
			if o := w.run(ledger.Request{}); o.Kind != ledger.Updated {
				t.Errorf("a good package afterwards: %+v", o)
			}
		})
	}
}

func TestAPackageWithoutAWorkingAgentIsRefused(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.System.Try = func(_ context.Context, _ string, args ...string) (string, error) {
		if args[0] == "-version" {
			return "SSM Agent version: 9.2.0.0", nil
		}
		return "cannot read the configuration", errors.New("exit status 1")
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if err != nil || o.Kind != ledger.FailedKind || o.Code != "ErrorInstallFailed" || o.Fault != fault.Verify {
		t.Fatalf("%+v, %v", o, err)
	}
	has(t, o.Reason, "self-test failed", "cannot read the configuration")
	w.whole("9.1.0.0")
}

func TestAFullDiskChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.free = 1 << 20
	o := w.run(ledger.Request{})
	if o.Kind != ledger.FailedKind || o.Fault != fault.NoSpace {
		t.Fatalf("%+v", o)
	}
	has(t, o.Reason, "Insufficient available disk space")
	w.whole("9.1.0.0")
}

// The version is sound, but nothing may be run where the store lies: that is not the package's fault.
func TestAStoreWithoutExecutionIsNamed(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.System.Try = func(_ context.Context, file string, _ ...string) (string, error) {
		return "", &fs.PathError{Op: "fork/exec", Path: file, Err: fs.ErrPermission}
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if err != nil || o.Kind != ledger.FailedKind || o.Fault != fault.Permission {
		t.Fatalf("%+v, %v", o, err)
	}
	has(t, o.Reason, "mounted noexec", w.layout.StoreDir())
	w.whole("9.1.0.0")
}

func TestWithoutALauncherTheNextStartGoesOn(t *testing.T) {
	w := newWorld(t)
	w.killLauncher()
	w.agent = nil
	o, err := w.engine().Run(context.Background(), ledger.Request{}, func(string) {})
	if o != nil || err != nil {
		t.Fatalf("%+v, %v", o, err)
	}
	led, _ := ledger.Read(w.layout)
	if led.Open == nil || !led.Open.NextStart {
		t.Fatalf("%+v", led.Open)
	}
	w.advance(time.Hour)
	w.mu.Lock()
	w.boot()
	w.mu.Unlock()
	w.advance(2 * time.Second)
	must(t, w.engine().Resume(context.Background()))
	w.whole("9.2.0.0")
}

func TestALauncherThatDiedBetweenTwoAgentsIsStartedAgain(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	away := e.System.StopAgent
	e.System.StopAgent = func(ctx context.Context, pid int) error { // no launcher starts the next
		must(t, away(ctx, pid))
		w.mu.Lock()
		defer w.mu.Unlock()
		w.killLauncher()
		w.agent = nil
		return nil
	}
	e.System.Revive = w.revive
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.Updated {
		t.Fatalf("%+v", o)
	}
	w.whole("9.2.0.0")
}

// Without a service manager nothing else starts it: an agent runs again 2 s after the launcher was killed.
func TestAnUnmanagedLauncherThatDiedBetweenTwoAgentsIsStartedAtOnce(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	away := e.System.StopAgent
	var died time.Time
	e.System.StopAgent = func(ctx context.Context, pid int) error {
		must(t, away(ctx, pid))
		w.mu.Lock()
		defer w.mu.Unlock()
		w.killLauncher()
		w.agent, died = nil, w.now
		return nil
	}
	revived := 0
	e.System.Unmanaged = func() bool { return true }
	e.System.Revive = func() (int, error) { revived++; return w.revive() }
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	w.mu.Lock()
	without := w.agent.born.Sub(died)
	w.mu.Unlock()
	if o.Kind != ledger.Updated || revived != 1 || without > 2*time.Second {
		t.Errorf("%s; %d launchers started, no agent for %s", o.Kind, revived, without)
	}
	w.whole("9.2.0.0")
}

func TestALauncherThatDiesEveryTimeIsLeftToTheNextStart(t *testing.T) {
	w := newWorld(t)
	w.killLauncher()
	w.agent = nil
	e := w.engine()
	started := 0
	e.System.Revive = func() (int, error) { started++; return 77, nil }
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if led, _ := ledger.Read(
		w.layout,
	); o != nil || err != nil || led.Open == nil || !led.Open.NextStart || started == 0 ||
		started > 5 {
		t.Fatalf("%+v, %v; %d launchers started", o, err, started)
	}
}

// The launcher gave the new version up and runs the old one again: that agent is not stopped once more. Under the pointer of the
// trial its end would be a death, noted in place of the new version's.
func TestTheAgentThatWasFallenBackToStays(t *testing.T) {
	w := newWorld(t)
	w.nature["9.2.0.0"] = "dead"
	e := w.engine()
	away, sent := e.System.StopAgent, 0
	e.System.StopAgent = func(ctx context.Context, pid int) error { sent++; return away(ctx, pid) }
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o.Kind != ledger.RolledBack || sent != 1 {
		t.Errorf("%+v, %d agents were stopped", o, sent)
	}
	w.whole("9.1.0.0")
}

// The updater's own attempts to reach the service name the version that runs when they are made. The last one is made of the version
// that runs in the end: an earlier one may arrive after that agent's own ping.
func TestTheServiceHearsLastOfTheVersionThatRuns(t *testing.T) {
	for nature, want := range map[string]string{"": "9.2.0.0", "mute": "9.1.0.0"} {
		w := newWorld(t)
		w.nature["9.2.0.0"] = nature
		e := w.engine()
		probe, named := e.Probe, make(chan string, 1000)
		e.Probe = func(ctx context.Context) error {
			p, err := installer.ReadPulse(w.layout.Pulse())
			must(t, err)
			named <- p.Version
			return probe(ctx)
		}
		_, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
		must(t, err)
		close(named)
		var last string
		for last = range named {
		}
		if last != want {
			t.Errorf("%q: the service heard last of %s, not of %s", nature, last, want)
		}
	}
}

func TestTheSourceOfTheConfigurationWins(t *testing.T) {
	const aws = "https://s3.{Region}.amazonaws.com/amazon-ssm-{Region}/ssm-agent-manifest.json"
	w := newWorld(t)
	e := w.engine()
	e.Settings.Source = ""
	o, err := e.Run(context.Background(), command(ledger.Request{Source: aws}), func(string) {})
	must(t, err)
	if o.Kind != "managed-elsewhere" || !o.Success {
		t.Fatalf("%+v", o)
	}
	has(t, w.final().Output, "not managed from there, nothing changed")
	r := command(ledger.Request{Source: aws})
	r.ReplyTo.MessageID = "aws.ssm.c-2.mi-1"
	if o := w.run(r); o.Kind != ledger.Updated {
		t.Fatalf("%+v", o)
	}
	has(t, w.final().Output, "Agent.UpdateSource")
}

func TestADocumentMakesNoAddressTheSource(t *testing.T) {
	const local = "http://127.0.0.1:7700/amazon-ssm-x-1/ssm-agent-manifest.json"
	for source, counts := range map[string]bool{
		"https://attacker.example/amazon-ssm-x-1/ssm-agent-manifest.json":                    false,
		"https://s3.eu-west-1.amazonaws.com/some-bucket/ssm-agent-manifest.json":             false,
		"https://ec2-192-0-2-1.compute.amazonaws.com/amazon-ssm-x-1/ssm-agent-manifest.json": false,
		"http://127.0.0.1:7701/amazon-ssm-x-1/ssm-agent-manifest.json":                       false,
		"http://127.0.0.1:7700@attacker.example/amazon-ssm-x-1/ssm-agent-manifest.json":      false,
		"https://attacker.example/\x1b[2J/ssm-agent-manifest.json":                           false,
		"http://127.0.0.1:7700/amazon-ssm-{Region}/ssm-agent-manifest.json":                  true,
		local: true,
	} {
		w := newWorld(t)
		e := w.engine()
		e.Settings.Source, e.Settings.LocalSource = "", local
		open, asked := e.Open, ""
		e.Open = func(c context.Context, url string) (updater.Source, error) {
			asked = url
			return open(c, url)
		}
		o, err := e.Run(context.Background(), command(ledger.Request{Source: source}), func(string) {})
		must(t, err)
		switch {
		case counts && (o.Kind != ledger.Updated || asked != local):
			t.Errorf("%s: %+v, asked %q", source, o, asked)
		case !counts && (o.Kind != "managed-elsewhere" || asked != ""):
			t.Errorf("%s: %+v, asked %q", source, o, asked)
		case !counts:
			has(t, w.final().Output, "is not used")
		}
		if strings.Contains(w.final().Output, "\x1b") {
			t.Errorf("control characters of the document are in the reply: %q", w.final().Output)
		}
	}
}

func TestAPersonOnTheMachineNamesASourceForOnce(t *testing.T) {
	const once = "file:///media/stick/amazon-ssm-x-1/ssm-agent-manifest.json"
	for why, counts := range map[string]bool{ledger.ByCommandLine: true, ledger.ByDocument: false} {
		w := newWorld(t)
		e := w.engine()
		open, asked := e.Open, ""
		e.Open = func(c context.Context, url string) (updater.Source, error) {
			asked = url
			return open(c, url)
		}
		_, err := e.Run(context.Background(), ledger.Request{ID: "once", Source: once, Once: true, Why: why}, func(string) {})
		must(t, err)
		if (asked == once) != counts {
			t.Errorf("%s: asked %q", why, asked)
		}
	}
}

func TestAnAnswerThatCannotBeSentIsOwed(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	fail := true
	reply := e.Reporter.Reply
	e.Reporter.Reply = func(ctx context.Context, m, id, p string) error {
		if fail {
			return errors.New("out of reach")
		}
		return reply(ctx, m, id, p)
	}
	_, err := e.Run(context.Background(), command(ledger.Request{}), func(string) {})
	must(t, err)
	led, _ := ledger.Read(w.layout)
	if len(led.Owed) != 1 || len(w.deleted) != 0 {
		t.Fatalf("owed %+v", led.Owed)
	}
	// the same message again is one already taken
	var said string
	o, err := e.Run(context.Background(), command(ledger.Request{}), func(s string) { said = s })
	if o != nil || err != nil || !strings.HasPrefix(said, "taken") {
		t.Fatalf("%+v, %v, %q", o, err, said)
	}
	fail = false
	must(t, e.Resume(context.Background()))
	if len(w.sent) != 1 || w.final().Status != "Success" || len(w.deleted) != 1 {
		t.Fatalf("sent %+v, deleted %q", w.sent, w.deleted)
	}
}

func TestOwedAnswersOfAnotherInstanceAreThrownAway(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.Reporter.Reply = func(context.Context, string, string, string) error { return errors.New("out of reach") }
	_, err := e.Run(context.Background(), command(ledger.Request{}), func(string) {})
	must(t, err)
	w.instance = "mi-00000000000000002"
	must(t, w.engine().Resume(context.Background()))
	if led, _ := ledger.Read(w.layout); len(led.Owed) != 0 || len(w.sent) != 0 {
		t.Fatalf("owed %+v, sent %+v", led.Owed, w.sent)
	}
}

func TestALostLedgerLeavesTheProbationJudged(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.Crash = func(at string) bool { return at == "after the pointer" }
	_, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if !errors.Is(err, updater.ErrCrashed) {
		t.Fatal(err)
	}
	must(t, os.WriteFile(w.layout.Ledger(), []byte("not a ledger"), 0o600))
	w.advance(2 * time.Second)
	must(t, w.engine().Resume(context.Background()))
	w.whole("9.2.0.0", "9.1.0.0")
}

func TestFloorIsTheTargetWithoutADownload(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	e := w.engine()
	e.Open = func(context.Context, string) (updater.Source, error) {
		s := w.region()
		s.Fetch = nil
		return s, nil
	}
	o, err := e.Run(context.Background(), ledger.Request{Want: "9.1.0.0", AllowDowngrade: true}, func(string) {})
	if err != nil || o.Kind != ledger.Updated {
		t.Fatalf("%+v, %v", o, err)
	}
	if s, _ := w.store().Read(); s.Active != pointer.OnFloor() {
		t.Errorf("%+v", s)
	}
}

func TestADocumentCannotAskForPrevious(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	if o := w.run(command(ledger.Request{Want: ledger.Previous})); o.Kind != "unknown-version" || o.Code != "ErrorInvalidTargetVersion" {
		t.Errorf("%+v", o)
	}
	w.whole("9.2.0.0")
}

func TestANewerRequestSupersedesOneThatWaitsForAStart(t *testing.T) {
	w := newWorld(t)
	w.killLauncher()
	w.agent = nil
	_, err := w.engine().Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	if o := w.run(ledger.Request{Want: "9.1.0.0"}); o.Kind != "up-to-date" {
		t.Fatalf("%+v", o)
	}
	if s, _ := w.store().Read(); s.Active != pointer.OnFloor() || s.Probation {
		t.Errorf("%+v", s)
	}
}

func TestAnUpdaterThatIsAskedToEndLeavesEverything(t *testing.T) {
	w := newWorld(t)
	ctx, stop := context.WithCancel(context.Background())
	e := w.engine()
	open := e.Open
	e.Open = func(c context.Context, url string) (updater.Source, error) {
		s, err := open(c, url)
		s.Fetch = func(context.Context, bucket.Want) error {
			stop()
			return context.Canceled
		}
		return s, err
	}
	o, err := e.Run(ctx, command(ledger.Request{}), func(string) {})
	if o != nil || err != nil {
		t.Fatalf("%+v, %v", o, err)
	}
	must(t, w.engine().Resume(context.Background()))
	w.whole("9.2.0.0")
	if w.final().Status != "Success" {
		t.Errorf("%+v", w.final())
	}
}

func TestAPackageOfAnotherVersionIsRefused(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	open := e.Open
	e.Open = func(c context.Context, url string) (updater.Source, error) {
		s, err := open(c, url)
		m, _ := s.Manifest(c)
		releases := m.Packages[0].Files[0].AvailableVersions
		releases[1].Checksum = releases[0].Checksum // 9.2.0.0 is listed with the bytes of 9.1.0.0
		s.Fetch = func(_ context.Context, want bucket.Want) error {
			return os.WriteFile(want.Path, archive("9.1.0.0"), 0o600)
		}
		return s, err
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if err != nil || o.Kind != ledger.FailedKind || o.Fault != fault.Verify {
		t.Fatalf("%+v, %v", o, err)
	}
	has(t, o.Reason, "listed as 9.2.0.0 and carries 9.1.0.0")
	w.whole("9.1.0.0")
}

func TestAChecksumThatIsAPathFetchesNothing(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	open := e.Open
	e.Open = func(c context.Context, url string) (updater.Source, error) {
		s, err := open(c, url)
		m, _ := s.Manifest(c)
		for i := range m.Packages[0].Files[0].AvailableVersions {
			m.Packages[0].Files[0].AvailableVersions[i].Checksum = "../../../../" + strings.Repeat("a", 52) // 64 characters
		}
		s.Manifest = func(context.Context) (*manifests.Manifest, error) { return m, nil }
		s.Fetch = func(_ context.Context, want bucket.Want) error {
			t.Errorf("fetched to %s", want.Path)
			return os.WriteFile(want.Path, archive("9.2.0.0"), 0o600)
		}
		return s, err
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if err != nil || o.Kind != ledger.FailedKind || o.Fault != fault.Verify {
		t.Fatalf("%+v, %v", o, err)
	}
	has(t, o.Reason, "the manifest has no checksum for")
	w.whole("9.1.0.0")
}

func TestCheckChangesNothing(t *testing.T) {
	w := newWorld(t)
	c, err := w.engine().Check(context.Background(), ledger.Request{})
	if err != nil || !c.Changes || c.ToVersion != ver("9.2.0.0") || c.RunningVersion != ver("9.1.0.0") {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := os.Stat(w.layout.Ledger()); err == nil {
		t.Error("a check writes the ledger")
	}
	e := w.engine()
	e.Open = func(context.Context, string) (updater.Source, error) {
		return updater.Source{}, errors.New("no such address")
	}
	if c, err := e.Check(
		context.Background(),
		ledger.Request{},
	); err != nil || c.Fault != fault.Region ||
		c.Code != "ErrorManifestURLParse" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestASystemThatCannotTakeTheVersionIsRefused(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	e.Settings.Precondition = "Failed Bottlerocket precondition: Bottlerocket has an immutable root filesystem"
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	if err != nil || o.Kind != "unsupported-platform" || o.Code != "ErrorFailedPrecondition" || o.Fault != fault.Refused {
		t.Fatalf("%+v, %v", o, err)
	}
	has(
		t,
		strings.Join(o.Lines, "\n"),
		"Failed update precondition check: Failed Bottlerocket precondition: Bottlerocket has an immutable root filesystem",
	)
	w.whole("9.1.0.0")
}

func TestNothingIsWrittenAfterARemoval(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	for _, path := range []string{w.layout.Worker(), w.layout.Ledger()} {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := e.Resume(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(w.layout.Ledger()); err == nil {
		t.Error("the ledger is back")
	}
}
