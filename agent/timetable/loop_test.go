package timetable_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/timetable"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

var begin = time.Date(2026, 11, 29, 21, 0, 0, 0, time.UTC)

// world runs a loop on a clock that only its sleeps move, for so long.
type world struct {
	now     time.Time
	version string
	asked   []string // what the updater was asked for, with the time since the beginning
	looks   int
	fails   error  // what the region answers
	busy    error  // what the updater answers
	dies    bool   // the agent dies in each look
	sleeps  func() // what happens to the clock in the next sleep
	host    string
	at      []time.Time // the looks
	log     *slog.Logger
}

var errBusy = errors.New("busy")

func (w *world) run(t *testing.T, l timetable.Loop, span time.Duration) {
	t.Helper()
	end := w.now.Add(span)
	if w.sleeps != nil {
		end = begin.Add(span)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.Host, l.Running, l.Log, l.Source = cmp.Or(w.host, "mi-1"), manifests.MustVersion("9.1"), cmp.Or(w.log,
		slog.New(slog.DiscardHandler)), "https://a.example"
	l.Now = func() time.Time { return w.now }
	l.Sleep = func(_ context.Context, d time.Duration) error {
		if w.sleeps != nil {
			w.sleeps()
		}
		if w.now = w.now.Add(d); w.now.After(end) {
			cancel()
		}
		return ctx.Err()
	}
	l.Open = func() (schedule.Region, error) {
		w.at = append(w.at, w.now)
		if w.looks++; w.dies {
			cancel()
		}
		return schedule.Region{
			Changed: func(context.Context, string, int64, string) (bucket.Fresh, error) {
				return bucket.Fresh{Changed: true}, w.fails
			},
			Small: func(_ context.Context, key string, _ int64) ([]byte, error) {
				if key == "latest/VERSION" {
					return []byte(w.version), nil
				}
				return nil, bucket.ErrMissing
			}}, nil
	}
	l.Ask = func(want string, down bool, last time.Time) error {
		if down {
			want += ", down"
		}
		w.asked = append(w.asked, want)
		return w.busy
	}
	l.Busy = func(err error) bool { return errors.Is(err, errBusy) }
	l.After = func(error) time.Duration { return 0 }
	l.Run(ctx)
}

func TestAHostThatIsCurrentLooksOncePerPeriodAndAsksForNothing(t *testing.T) {
	w, l := &world{now: begin, version: "9.1.0.0"}, installer.At(t.TempDir())
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 48*time.Hour)
	if w.looks < 11 || w.looks > 13 || len(w.asked) > 0 {
		t.Errorf("%d looks in 48 h, asked %v", w.looks, w.asked)
	}
	w.version = "9.2.0.0"
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 5*time.Hour)
	if len(w.asked) == 0 || w.asked[0] != "latest" || schedule.Read(l).Code != schedule.Asked {
		t.Errorf("asked %v, record %+v", w.asked, schedule.Read(l))
	}
}

func TestManyRestartsMakeNoFurtherLooks(t *testing.T) {
	w, l := &world{now: begin, version: "9.1.0.0"}, installer.At(t.TempDir())
	for range 200 {
		w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, time.Minute)
	}
	if w.looks > 10 { // a sleep is 10 minutes at most: about 33 hours
		t.Errorf("%d looks in %s", w.looks, w.now.Sub(begin))
	}
}

func TestAnOutageIsWaitedOut(t *testing.T) {
	w, l := &world{now: begin, fails: bucket.ErrUnreachable}, installer.At(t.TempDir())
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 48*time.Hour)
	if r := schedule.Read(l); w.looks > 17 || r.Failures < 5 || r.Code != schedule.Failed || r.Fault == "" {
		t.Errorf("%d looks, %+v", w.looks, r)
	}
	w.fails, w.version = nil, "9.1.0.0"
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 8*time.Hour)
	if r := schedule.Read(l); r.Failures != 0 || r.Code != schedule.UpToDate || r.Fault != "" {
		t.Errorf("after it: %+v", r)
	}
}

func TestABusyUpdaterIsAskedAgain(t *testing.T) {
	w, l := &world{now: begin, version: "9.2.0.0", busy: errBusy}, installer.At(t.TempDir())
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 6*time.Hour)
	if len(w.asked) < 2 || schedule.Read(l).Code != schedule.Busy {
		t.Errorf("asked %v, %+v", w.asked, schedule.Read(l))
	}
}

func TestWithoutASettingNothingIsFollowed(t *testing.T) {
	w, l := &world{now: begin, version: "9.2.0.0"}, installer.At(t.TempDir())
	if err := (schedule.Record{Follow: schedule.Latest}).Save(l); err != nil {
		t.Fatal(err)
	}
	w.run(t, timetable.Loop{Layout: l}, 48*time.Hour)
	if w.looks > 0 || len(w.asked) > 0 || schedule.Read(l).Follow != "" {
		t.Errorf("%d looks, asked %v", w.looks, w.asked)
	}
}

// docs/protocol/update.md, "Scheduled self-update".
func TestSelfUpdateAsksOnlyWhereTheVersionIsDeprecated(t *testing.T) {
	for status, want := range map[string]int{manifests.Active: 0, manifests.Deprecated: 2, manifests.Inactive: 0} {
		for name, unsupported := range map[string]string{"": "", "Nano": "Nano Server"} {
			w, reads := &world{now: begin}, 0
			m := manifests.NewManifest("u")
			m.Add("p", "f", manifests.FileVersion{Version: "9.1.0.0", Status: status})
			m.Add("p", "f", manifests.FileVersion{Version: "9.0.0.0"})
			w.run(t, timetable.Loop{Layout: installer.At(t.TempDir()), SelfUpdate: schedule.SelfUpdatePeriod(1), Unsupported: unsupported,
				Listing: func(context.Context) (manifests.Listing, error) { reads++; return m.Listing("p", "f") }}, 50*time.Hour)
			wantAsked, wantReads := want, 2
			if unsupported != "" {
				wantAsked, wantReads = 0, 0
			}
			if len(w.asked) != wantAsked || reads != wantReads && reads != wantReads-1 || wantAsked > 0 && w.asked[0] != "latest, down" {
				t.Errorf("%s %s: asked %v, %d reads", status, name, w.asked, reads)
			}
		}
	}
}

func TestWhatThePolicyDoesNotAllowIsLookedAtAgainWhenItDoes(t *testing.T) {
	w, l := &world{now: begin, version: "9.2.0.0"}, installer.At(t.TempDir())
	opens := begin.Add(5*time.Hour + 10*time.Minute)
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual,
		Permit: func(now time.Time, seen schedule.Seen, _ time.Time) (string, string, time.Time, bool) {
			return "outside-window", "no window is open", opens, !now.Before(opens) && seen.Version == manifests.MustVersion("9.2")
		}}, 6*time.Hour)
	r := schedule.Read(l)
	if len(w.asked) != 1 || r.Code != schedule.Asked || r.Looked.Sub(opens) > 20*time.Minute {
		t.Errorf("asked %v, record %+v", w.asked, r)
	}
}

func TestAnAgentThatDiesInEachLookAsksTheRegionSeldom(t *testing.T) {
	w, l := &world{now: begin, version: "9.1.0.0", dies: true}, installer.At(t.TempDir())
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 8*time.Hour) // up to the first look
	began := w.now
	for range 600 {
		w.now = w.now.Add(time.Second)
		w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 0)
	}
	if span := w.now.Sub(began); w.looks == 0 || w.looks > 6+int(span/schedule.Usual) {
		t.Errorf("%d looks, in %s since the first", w.looks, span)
	}
}

func TestWhereTheRecordCannotBeWrittenTheRegionIsNotAsked(t *testing.T) {
	w, l := &world{now: begin, version: "9.2.0.0"}, installer.At(t.TempDir())
	if err := os.MkdirAll(filepath.Dir(l.Data()), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.Data(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(t, timetable.Loop{Layout: l, Follow: schedule.Latest, Period: schedule.Usual}, 24*time.Hour)
	if w.looks > 0 || len(w.asked) > 0 {
		t.Errorf("%d looks, asked %v", w.looks, w.asked)
	}
}

func TestAClockThatIsPutBackDoesNotEndSelfUpdate(t *testing.T) {
	w, reads := &world{now: begin.AddDate(20, 0, 0)}, 0
	w.sleeps = func() { w.now, w.sleeps = begin, nil }
	w.run(t, timetable.Loop{Layout: installer.At(t.TempDir()), SelfUpdate: schedule.SelfUpdatePeriod(1),
		Listing: func(context.Context) (manifests.Listing, error) { reads++; return manifests.Listing{}, errBusy }}, 48*time.Hour)
	if reads == 0 {
		t.Error("it never ran again")
	}
}

// docs/protocol/update.md, "Scheduled self-update": the second of two runs at once ends as busy, one whose updater does not start as
// failed; neither is in the way of the next.
func TestASelfUpdateThatIsBusyOrDoesNotStartIsTriedInTheNextPeriod(t *testing.T) {
	for code, answer := range map[string]error{"ErrorUpdaterLockBusy": errBusy, "ErrorExecuteUpdater": errors.New("it died")} {
		w := &world{now: begin, busy: answer}
		var log bytes.Buffer
		m := manifests.NewManifest("u")
		m.Add("p", "f", manifests.FileVersion{Version: "9.1.0.0", Status: manifests.Deprecated})
		m.Add("p", "f", manifests.FileVersion{Version: "9.0.0.0"})
		w.log = slog.New(slog.NewTextHandler(&log, nil))
		w.run(t, timetable.Loop{Layout: installer.At(t.TempDir()), SelfUpdate: schedule.SelfUpdatePeriod(1),
			Listing: func(context.Context) (manifests.Listing, error) { return m.Listing("p", "f") }}, 74*time.Hour)
		if n := strings.Count(log.String(), "code="+code); n < 2 || n != len(w.asked) {
			t.Errorf("%s: asked %d times\n%s", code, len(w.asked), log.String())
		}
	}
}
