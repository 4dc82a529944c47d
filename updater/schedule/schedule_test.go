package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

var at = time.Date(2026, 11, 29, 21, 0, 0, 0, time.UTC)

func v(text string) manifests.Version { return manifests.MustVersion(text) }

func TestHostsLookAtPlacesOfTheirOwnSpreadOverThePeriod(t *testing.T) {
	const hosts, bins = 20000, 50
	var full [bins]int
	for i := range hosts {
		id := fmt.Sprintf("mi-%017x", i)
		next := schedule.Next(schedule.Phase(id, schedule.Usual), schedule.Usual, at)
		if wait := next.Sub(at); wait < schedule.Usual/2 || wait >= schedule.Usual*3/2 {
			t.Fatalf("%s waits %s", id, wait)
		}
		again := schedule.Next(schedule.Phase(id, schedule.Usual), schedule.Usual, next)
		if again.Sub(next) != schedule.Usual {
			t.Fatalf("%s looks again after %s", id, again.Sub(next))
		}
		full[int(next.Sub(at.Add(schedule.Usual/2))*bins/schedule.Usual)]++
	}
	for i, n := range full {
		if n < hosts/bins*7/10 || n > hosts/bins*13/10 {
			t.Errorf("part %d of the period has %d hosts, %d on average", i, n, hosts/bins)
		}
	}
}

func TestFailuresAreWaitedOutLongerAndLonger(t *testing.T) {
	var last time.Duration
	for n := 1; n <= 5; n++ {
		wait := schedule.Retry("mi-1", n, 0, schedule.Usual, at).Sub(at)
		least := min(schedule.Usual, 15*time.Minute<<(n-1))
		if wait < least || wait >= least*3/2 || wait <= last/2 {
			t.Errorf("failure %d: %s, at least %s", n, wait, least)
		}
		last = wait
	}
	if wait := schedule.Retry("mi-1", 500, 0, schedule.Usual, at).Sub(at); wait >= schedule.Usual*3/2 {
		t.Errorf("never longer than the period: %s", wait)
	}
	if wait := schedule.Retry("mi-1", 1, 5*time.Hour, schedule.Usual, at).Sub(at); wait < 5*time.Hour {
		t.Errorf("Retry-After: %s", wait)
	}
	if wait := schedule.Retry("mi-1", 1, 1000*time.Hour, schedule.Usual, at).Sub(at); wait > 36*time.Hour {
		t.Errorf("a Retry-After beyond all measure: %s", wait)
	}
}

func TestTheHostsOfASmallShareAreAmongThoseOfALargerOne(t *testing.T) {
	const hosts = 20000
	ten, both, other := 0, 0, 0
	for i := range hosts {
		id := fmt.Sprintf("mi-%017x", i)
		small, large := schedule.Admitted(id, v("9.2"), 10), schedule.Admitted(id, v("9.2"), 25)
		if small && !large {
			t.Fatalf("%s is of 10 percent and not of 25", id)
		}
		if small {
			ten++
			if schedule.Admitted(id, v("9.3"), 10) {
				other++
			}
		}
		if large {
			both++
		}
		if schedule.Admitted(id, v("9.2"), 0) || !schedule.Admitted(id, v("9.2"), 100) {
			t.Fatal("none and all")
		}
	}
	if ten < hosts/10*9/10 || ten > hosts/10*11/10 || both < hosts/4*9/10 || both > hosts/4*11/10 || other > ten/5 {
		t.Errorf("10 percent: %d, 25 percent: %d, of both versions: %d", ten, both, other)
	}
}

func TestAVerdictHasOneReason(t *testing.T) {
	for name, row := range map[string]struct {
		running string
		seen    schedule.Seen
		code    string
	}{
		"up to date":  {"9.2", schedule.Seen{Version: v("9.2"), Percent: 100}, schedule.UpToDate},
		"ahead":       {"9.3", schedule.Seen{Version: v("9.2"), Percent: 100}, schedule.Ahead},
		"halted":      {"9.1", schedule.Seen{Version: v("9.2"), Percent: 100, Halted: true}, schedule.Halted},
		"not its own": {"9.1", schedule.Seen{Version: v("9.2"), Percent: 0}, schedule.NotYet},
		"nothing":     {"9.1", schedule.Seen{}, schedule.NoVersion},
		"news":        {"9.1", schedule.Seen{Version: v("9.2"), Percent: 100}, schedule.Asked},
	} {
		got := schedule.Decide("mi-1", v(row.running), row.seen)
		if got.Code != row.code || got.Ask != (row.code == schedule.Asked) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestWithoutARootOnlyTLSIsFollowed(t *testing.T) {
	for base, want := range map[string]string{
		"https://s3.eu-west-1.amazonaws.com/bucket": "by TLS only",
		"http://mirror.example/bucket":              "",
		"file:///srv/mirror/bucket":                 "",
		"http://127.0.0.1:4000/bucket":              "unverified: the region is on this machine",
	} {
		got, err := schedule.Trust(base, false)
		if got != want || (want == "") != errors.Is(err, schedule.ErrUntrusted) {
			t.Errorf("%s: %q, %v", base, got, err)
		}
		if got, err := schedule.Trust(base, true); got != "signed" || err != nil {
			t.Errorf("%s with a root: %q, %v", base, got, err)
		}
	}
}

func TestOnlyARegionOnThisMachineIsAskedMoreThanOnceAnHour(t *testing.T) {
	for _, row := range []struct {
		seconds int
		base    string
		want    time.Duration
	}{
		{0, "https://a.example/b", schedule.Usual}, {1, "https://a.example/b", time.Hour}, {7200, "https://a.example/b", 2 * time.Hour},
		{1, "http://localhost:1/b", time.Second}, {1 << 30, "https://a.example/b", schedule.Longest},
	} {
		if got := schedule.Period(row.seconds, row.base); got != row.want {
			t.Errorf("%d s at %s: %s, want %s", row.seconds, row.base, got, row.want)
		}
	}
}

// docs/protocol/update.md, "Scheduled self-update".
func TestSelfUpdateHasTheOriginalsPeriodAndDelay(t *testing.T) {
	for days, hours := range map[int]int{1: 24, 4: 96, 7: 168, 0: 168, 8: 168, -1: 168} {
		if got := schedule.SelfUpdatePeriod(days); got != time.Duration(hours)*time.Hour {
			t.Errorf("%d: %s", days, got)
		}
	}
	for i := range 5000 {
		d := schedule.SelfUpdateDelay(fmt.Sprint("i-", i), at.Add(time.Duration(i)))
		if d < 1800*time.Second || d > 44999*time.Second {
			t.Fatal(d)
		}
	}
}

func TestSelfUpdateLeavesADeprecatedVersionAndNoOther(t *testing.T) {
	m := manifests.NewManifest("u")
	for version, status := range map[string]string{"9.1.0.0": manifests.Active, "9.2.0.0": manifests.Deprecated,
		"9.0.0.0": manifests.Inactive} {
		m.Add("amazon-ssm-agent", "f", manifests.FileVersion{Version: version, Status: status})
	}
	l, err := m.Listing("amazon-ssm-agent", "f")
	if err != nil {
		t.Fatal(err)
	}
	for running, want := range map[string]string{"9.1.0.0": "", "9.2.0.0": "9.1.0.0", "9.0.0.0": ""} {
		if to, err := schedule.SelfUpdateTarget(v(running), l); err != nil || to.String() != want {
			t.Errorf("%s: %s, %v", running, to, err)
		}
	}
	if _, err := schedule.SelfUpdateTarget(v("9.7"), l); !errors.Is(err, manifests.ErrNotListed) {
		t.Errorf("a version that the source does not know: %v", err)
	}
}

// source is a bucket with a record of what was asked of it.
type source struct {
	files map[string]string
	asked []string
}

func (s *source) region(t *testing.T) schedule.Region {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := s.files[r.URL.Path[1:]]
		s.asked = append(s.asked, r.URL.Path[1:])
		tag := fmt.Sprintf(`"%x"`, text)
		switch {
		case !ok:
			http.NotFound(w, r)
		case r.Header.Get("If-None-Match") == tag:
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", tag)
			fmt.Fprint(w, text)
		}
	}))
	t.Cleanup(server.Close)
	c := bucket.New(bucket.Options{Base: server.URL})
	return schedule.Region{Changed: c.IfChanged, Small: c.Small}
}

func TestALookWithoutNewsIsOneRequest(t *testing.T) {
	s := &source{files: map[string]string{"latest/VERSION": "9.2.0.0"}}
	from, r := s.region(t), schedule.Record{Follow: schedule.Latest}
	look := func(running string, asks int) {
		t.Helper()
		s.asked = nil
		if err := r.Look(context.Background(), from, v(running)); err != nil {
			t.Fatal(err)
		}
		if len(s.asked) != asks {
			t.Errorf("%d requests, want %d: %v", len(s.asked), asks, s.asked)
		}
	}
	look("9.2", 3) // the first: all is new
	look("9.2", 1)
	s.files["ssm-setup-index.json"] = `{"schema":1,"versions":{"9.3.0.0":{"percent":1}}}`
	s.files["latest/VERSION"] = "9.3.0.0"
	look("9.2", 3)
	if r.Seen.Version != v("9.3") || r.Seen.Percent != 1 {
		t.Errorf("%+v", r.Seen)
	}
	look("9.2", 4) // it waits for its share: the index's tag is not known yet
	look("9.2", 2)
	s.files["ssm-setup-index.json"] = `{"schema":1,"halted":{"reason":"it leaks"}}`
	look("9.2", 4)
	if !r.Seen.Halted || r.Seen.Percent != 100 || r.Seen.Reason != "it leaks" {
		t.Errorf("%+v", r.Seen)
	}
	delete(s.files, "ssm-setup-index.json")
	look("9.2", 4)
	if r.Seen.Halted {
		t.Error("an index that is gone halts nothing")
	}
	look("9.3", 1)
}

func TestAWithdrawnVersionIsLeftThoughNothingNewerIsOffered(t *testing.T) {
	s := &source{files: map[string]string{"latest/VERSION": "9.1.0.0", "trust/timestamp.json": "1",
		"ssm-setup-index.json": `{"schema":1,"versions":{"9.1.0.0":{"percent":0}},
			"withdrawn":[{"from":"9.2.0.0","to":"9.2.0.0","go":"9.1.0.0"}]}`}}
	from, r := s.region(t), schedule.Record{Follow: schedule.Latest}
	decide := func(running string) schedule.Verdict {
		t.Helper()
		if err := r.Look(context.Background(), from, v(running)); err != nil {
			t.Fatal(err)
		}
		return schedule.Decide("i-1", v(running), r.Seen)
	}
	if got := decide("9.2"); got.Ask {
		t.Errorf("what is not signed withdraws nothing: %+v", got)
	}
	from.Signed, r = true, schedule.Record{Follow: schedule.Latest}
	if got := decide("9.3"); got.Code != schedule.Ahead {
		t.Errorf("another version: %+v", got)
	}
	if got := decide("9.2"); !got.Ask {
		t.Errorf("the version that runs has changed, and is withdrawn: %+v", got)
	}
	if got := decide("9.1"); got.Ask || got.Code != schedule.UpToDate {
		t.Errorf("after the rescue: %+v", got)
	}
	s.asked = nil
	if decide("9.1"); len(s.asked) != 1 {
		t.Errorf("a look without news: %v", s.asked)
	}
	s.files["ssm-setup-index.json"] = `{"schema":1,"halted":{},"withdrawn":[{"from":"9.1.0.0","to":"9.1.0.0","go":"9.0.0.0"}]}`
	s.files["trust/timestamp.json"] = "2"
	if got := decide("9.1"); got.Ask {
		t.Errorf("a halt stops all that hosts do by themselves: %+v", got)
	}
}

func TestADamagedIndexIsAFailureAndLeavesWhatWasSeen(t *testing.T) {
	s := &source{files: map[string]string{"latest/VERSION": "9.2.0.0", "ssm-setup-index.json": "<html>"}}
	r := schedule.Record{Follow: schedule.Latest}
	if err := r.Look(context.Background(), s.region(t), v("9.1")); !errors.Is(err, manifests.ErrIndex) || !r.Seen.Version.IsZero() {
		t.Errorf("%v, %+v", err, r.Seen)
	}
}

func TestTheNextLookIsOnDiskAndARestartBringsItNoNearer(t *testing.T) {
	l := installer.At(t.TempDir())
	r := schedule.Read(l)
	r.Due("mi-1", "https://a.example", schedule.Latest, schedule.Usual, at)
	r.Ended("mi-1", schedule.UpToDate, nil, 0, schedule.Usual, r.Next)
	if err := r.Save(l); err != nil {
		t.Fatal(err)
	}
	again := schedule.Read(l)
	again.Due("mi-1", "https://a.example", schedule.Latest, schedule.Usual, r.Looked.Add(time.Minute))
	if !again.Next.Equal(r.Next) || again.Next.Before(r.Looked.Add(schedule.Usual/2)) {
		t.Errorf("%s, want %s", again.Next, r.Next)
	}
	again.Due("mi-1", "https://a.example", schedule.Latest, schedule.Usual, at.AddDate(-1, 0, 0))
	if again.Next.After(at.AddDate(-1, 0, 2)) {
		t.Errorf("a clock that was put back: %s", again.Next)
	}
	again.Due("mi-1", "https://b.example", schedule.Latest, schedule.Usual, at)
	if again.Source != "https://b.example" || again.Looked != (time.Time{}) {
		t.Errorf("another source begins anew: %+v", again)
	}
}

func BenchmarkOneHostsRules(b *testing.B) {
	for i := range b.N {
		id := fmt.Sprint(i)
		schedule.Next(schedule.Phase(id, schedule.Usual), schedule.Usual, at)
		schedule.Admitted(id, v("9.2"), 10)
	}
}

// A mirror that leaves out what is signed must not lift a halt.
func TestASignedIndexThatIsLeftOutIsAFailure(t *testing.T) {
	s := &source{files: map[string]string{"latest/VERSION": "9.2.0.0", "trust/timestamp.json": "1"}}
	from := s.region(t)
	from.Signed = true
	r := schedule.Record{Follow: schedule.Latest}
	if err := r.Look(context.Background(), from, v("9.1")); !errors.Is(err, bucket.ErrMissing) || len(r.Tags) > 0 {
		t.Errorf("%v, %+v", err, r)
	}
	small := from.Small
	from.Small = func(ctx context.Context, key string, limit int64) ([]byte, error) {
		b, err := small(ctx, key, limit)
		if err != nil {
			err = fmt.Errorf("%w: %w", bucket.ErrNotSigned, err)
		}
		return b, err
	}
	if err := r.Look(context.Background(), from, v("9.1")); err != nil || r.Seen.Version != v("9.2") {
		t.Errorf("a region that signs no index: %v, %+v", err, r)
	}
}
