package updater_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// obeys gives the machine a policy.
func (w *world) obeys(change func(*policy.Policy)) {
	w.t.Helper()
	_, err := policy.Change(w.layout, change)
	must(w.t, err)
}

func TestAHeldHostAnswersADocumentHonestlyAndStays(t *testing.T) {
	w := newWorld(t)
	w.obeys(func(p *policy.Policy) { p.Hold = &policy.Hold{Reason: "audit until spring"} })
	o := w.run(command(ledger.Request{}))
	if o.Kind != policy.OnHold || !o.Success {
		t.Fatalf("%+v", o)
	}
	has(t, w.final().Output, "Updating amazon-ssm-agent from 9.1.0.0 to 9.2.0.0\n", "update skipped\n",
		"this host is held: audit until spring",
		"it stays at 9.1.0.0")
	named := command(ledger.Request{Want: "9.2.0.0"})
	named.ReplyTo.MessageID = "aws.ssm.c-2.mi-1"
	if o := w.run(named); o.Kind != policy.OnHold || o.Success || o.Code != "ErrorFailedPrecondition" {
		t.Fatalf("%+v", o)
	}
	has(t, w.final().Output, "Failed update precondition check: this host is held: audit until spring\n", "No rollback needed")
	has(t, strings.Join(w.health, "\n"), "UpdateFailed_ErrorFailedPrecondition-9.2.0.0-NoAlarm")
	overriding := command(ledger.Request{Override: true})
	overriding.ReplyTo.MessageID = "aws.ssm.c-3.mi-1"
	if o := w.run(overriding); o.Kind != policy.OnHold {
		t.Fatalf("a document overrides: %+v", o)
	}
	w.whole("9.1.0.0")
}

func TestAPersonOverridesAHoldAndThatIsWrittenDown(t *testing.T) {
	w := newWorld(t)
	w.obeys(func(p *policy.Policy) { p.Hold = &policy.Hold{} })
	if o := w.run(ledger.Request{Why: ledger.ByCommandLine}); o.Kind != policy.OnHold {
		t.Fatalf("%+v", o)
	}
	o := w.run(ledger.Request{Why: ledger.ByCommandLine, Override: true})
	if o.Kind != ledger.Updated || o.Overrode != policy.OnHold || !strings.Contains(o.Detail, "a person on this machine overrode that") {
		t.Fatalf("%+v", o)
	}
	w.whole("9.2.0.0")
	past, err := ledger.Decisions(w.layout)
	must(t, err)
	if len(past) != 2 || past[0].Reason != policy.OnHold || past[1].Reason != ledger.Updated || past[1].Overrode != policy.OnHold {
		t.Errorf("%+v", past)
	}
	if p, err := policy.Read(w.layout); err != nil || p.Hold == nil {
		t.Errorf("the hold is gone: %+v, %v", p, err)
	}
	if o := w.run(ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}); o.Kind != ledger.WentBack {
		t.Errorf("a hold keeps a rollback from happening: %+v", o)
	}
}

func TestAPolicyThatCannotBeObeyedStopsUpdatesAndSaysSo(t *testing.T) {
	for name, text := range map[string]string{"damaged": `{"hold"`,
		"a window that is none": `{"windows":[{"start":"nightly","duration":"3h"}]}`} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			must(t, os.WriteFile(policy.File(w.layout), []byte(text), 0o600))
			for _, why := range []string{ledger.ByTimer, ledger.ByDocument, ledger.ByCommandLine} {
				if o := w.run(ledger.Request{Why: why}); o.Kind != policy.Unreadable || !strings.Contains(o.Detail, "so nothing is updated") {
					t.Fatalf("%s: %+v", why, o)
				}
			}
			w.whole("9.1.0.0")
		})
	}
}

func TestAMissedWindowIsCaughtUpByTheScheduleAndByNothingElse(t *testing.T) {
	w := newWorld(t) // it is 03:05 of a Wednesday
	w.obeys(func(p *policy.Policy) {
		p.Windows = []policy.Window{{Start: "0 2 * * *", Duration: "30m", Zone: "UTC"}}
	})
	closed := w.run(ledger.Request{Why: ledger.ByTimer})
	if closed.Kind != policy.OutsideWindow || !closed.Until.Equal(time.Date(2030, 1, 3, 2, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v", closed)
	}
	w.advance(24 * time.Hour) // it looked in the window, and there was no news: that starts no updater
	if o := w.run(ledger.Request{Why: ledger.ByTimer, LastLook: w.now.Add(-time.Hour)}); o.Kind != policy.OutsideWindow {
		t.Fatalf("the agent and the updater have two rules: %+v", o)
	}
	slept := w.now.Add(-24 * time.Hour)
	doc := command(ledger.Request{LastLook: slept})
	if o := w.run(doc); o.Kind != policy.OutsideWindow {
		t.Fatalf("%+v", o)
	}
	if o := w.run(ledger.Request{Why: ledger.ByTimer, LastLook: slept}); o.Kind != ledger.Updated {
		t.Fatalf("%+v", o)
	}
}

func TestARequestForAVersionThatDoesNotRunChangesNothing(t *testing.T) {
	w := newWorld(t)
	o := w.run(ledger.Request{Why: ledger.ByCommandLine, IfRunning: ver("9.0.0.0")})
	if o.Kind != policy.NotRunning || o.Success || o.Fault != fault.Refused || !strings.Contains(o.Detail, "9.1.0.0 runs") {
		t.Fatalf("%+v", o)
	}
	w.whole("9.1.0.0")

	// It is looked at again when all is ready: here the launcher has given the version up meanwhile.
	if o := w.run(ledger.Request{}); o.Kind != ledger.Updated {
		t.Fatalf("%+v", o)
	}
	w.versions = append(w.versions, "9.3.0.0")
	e := w.engine()
	e.Crash = func(at string) bool {
		if at == "before switch" {
			w.mu.Lock()
			w.nature["9.2.0.0"] = "dead"
			w.endAgent("exit code 1")
			w.mu.Unlock()
			w.advance(5 * time.Minute)
		}
		return false
	}
	out, err := e.Run(context.Background(), ledger.Request{IfRunning: ver("9.2.0.0"), Why: ledger.ByCommandLine}, func(string) {})
	must(t, err)
	if out.Kind != policy.NotRunning || !strings.Contains(out.Detail, "9.1.0.0 runs, and the request is for hosts that run 9.2.0.0") {
		t.Fatalf("%+v", out)
	}
	if o := w.run(ledger.Request{IfRunning: ver("9.1.0.0"), Why: ledger.ByCommandLine}); o.Kind != ledger.Updated {
		t.Fatalf("%+v", o)
	}
}

func TestNothingGoesBelowTheOldestVersionThatASignedIndexAllows(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	index := manifests.NewIndex()
	index.Floor = ver("9.1.5.0")
	e := w.engine()
	e.Open = func(context.Context, string) (updater.Source, error) {
		s := w.region()
		s.Index = func(context.Context) (*manifests.Index, bool, error) { return index, true, nil }
		return s, nil
	}
	down := ledger.Request{Want: "9.1.0.0", AllowDowngrade: true, Override: true, Why: ledger.ByCommandLine}
	o, err := e.Run(context.Background(), down, func(string) {})
	must(t, err)
	if o.Kind != policy.BelowFloor || o.Success || o.Code != "ErrorFailedPrecondition" {
		t.Fatalf("%+v", o)
	}
	e = w.engine()
	e.Settings.Oldest = ver("9.1.5.0") // as it was verified last; a rollback asks no region
	o, err = e.Run(context.Background(), ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}, func(string) {})
	must(t, err)
	if o.Kind != policy.BelowFloor {
		t.Fatalf("%+v", o)
	}
	w.whole("9.2.0.0")
}

func TestARollbackToAConfirmedVersionAsksNoRegion(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	e := w.engine()
	e.Open = func(context.Context, string) (updater.Source, error) {
		t.Error("the region was asked")
		return updater.Source{}, errors.New("unreachable")
	}
	o, err := e.Run(context.Background(), ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}, func(string) {})
	must(t, err)
	if o.Kind != ledger.WentBack {
		t.Fatalf("%+v", o)
	}
	w.whole("9.1.0.0")
}

func TestAHostAheadOfItsRegionIsToldSoAndHasNotFailed(t *testing.T) {
	w := newWorld(t)
	w.run(ledger.Request{})
	w.versions = []string{"9.1.0.0"}
	o := w.run(command(ledger.Request{}))
	if o.Kind != "ahead-of-region" || !o.Success || o.Fault != "" {
		t.Fatalf("%+v", o)
	}
	has(t, w.final().Output, "Updating 9.2.0.0 to an older version 9.1.0.0, please enable allow downgrade to proceed\n", "update skipped\n",
		"ahead of region x-1")
	has(t, w.final().Status, "Success")
	behind := command(ledger.Request{Want: "9.9.0.0"})
	behind.ReplyTo.MessageID = "aws.ssm.c-2.mi-1"
	if o := w.run(behind); o.Kind != "region-behind" || !o.Success {
		t.Fatalf("%+v", o)
	}
	has(t, w.final().Output, "amazon-ssm-agent target version 9.9.0.0 is unsupported on current platform\n", "behind another region")
	if last := w.health; strings.Contains(strings.Join(last, "\n"), "Failed") {
		t.Errorf("health: %q", last)
	}
}

// A dry run is the decision of the update that follows, and leaves no trace on the disk.
func TestADryRunDecidesAsTheUpdateDoesAndWritesNothing(t *testing.T) {
	night := []policy.Window{{Start: "0 12 * * *", Duration: "1h", Zone: "UTC"}}
	for name, c := range map[string]struct {
		prepare func(*world)
		request ledger.Request
	}{
		"an update":            {func(*world) {}, ledger.Request{}},
		"held":                 {func(w *world) { w.obeys(func(p *policy.Policy) { p.Hold = &policy.Hold{} }) }, ledger.Request{}},
		"held, and overridden": {func(w *world) { w.obeys(func(p *policy.Policy) { p.Hold = &policy.Hold{} }) }, ledger.Request{Override: true}},
		"outside of a window":  {func(w *world) { w.obeys(func(p *policy.Policy) { p.Windows = night }) }, ledger.Request{}},
		"no room":              {func(w *world) { w.free = 1 << 20 }, ledger.Request{}},
		"no such version":      {func(*world) {}, ledger.Request{Want: "9.9.0.0"}},
		"another runs":         {func(*world) {}, ledger.Request{IfRunning: ver("9.0.0.0")}},
		"a downgrade":          {func(w *world) { w.run(ledger.Request{}) }, ledger.Request{Want: "9.1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.prepare(w)
			c.request.Why = ledger.ByCommandLine
			before := tree(t, w.layout.Root)
			checked, err := w.engine().Check(context.Background(), c.request)
			must(t, err)
			if after := tree(t, w.layout.Root); after != before {
				t.Errorf("it wrote:\n%s\nbefore:\n%s", after, before)
			}
			o := w.run(c.request)
			kind := checked.Kind
			if checked.Changes {
				kind = ledger.Updated
			}
			if o.Kind != kind || o.Success != checked.Success || o.Code != checked.Code || o.ToVersion != checked.ToVersion && o.Kind != "failed" ||
				o.Overrode != checked.Overrode || !o.Until.Equal(checked.Until) || o.Fault != checked.Fault {
				t.Errorf("told\n%+v\nand it was\n%+v", checked, o)
			}
			p := checked.Plan
			if p == nil || p.Launcher != ver("9.1.0.0") || p.LauncherSince.IsZero() || p.DiskFree != w.free {
				t.Fatalf("%+v", p)
			}
			if checked.Changes && p.DiskNeeded < 48<<20 || name == "held" && p.Policy.Hold == nil ||
				name == "outside of a window" && (p.WindowOpen || p.WindowNext.IsZero() || !p.Begins.Equal(p.WindowNext)) {
				t.Errorf("%+v", p)
			}
		})
	}
}

// tree is a folder as text, but for what the running agent and the launcher write all the time.
func tree(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		b.WriteString(strings.TrimPrefix(path, root))
		if d.Type().IsRegular() && d.Name() != "pulse" {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b.Write(text)
		}
		b.WriteString("\n")
		return nil
	}))
	return b.String()
}
