package policy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

func ver(text string) manifests.Version { return manifests.MustVersion(text) }

// at reads a time in UTC.
func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestAPolicySaysWhatAnUpdateMayDoAndWhyNot(t *testing.T) {
	now := at("2029-11-24 12:00") // a Saturday
	timer := policy.Facts{Why: ledger.ByTimer, Running: ver("9.2.0.0")}
	person := policy.Facts{Why: ledger.ByCommandLine, Running: ver("9.2.0.0")}
	with := func(f policy.Facts, change func(*policy.Facts)) policy.Facts { change(&f); return f }
	window := []policy.Window{{Start: "0 2 * * SAT", Duration: "3h", Zone: "UTC"}}
	for name, c := range map[string]struct {
		policy    policy.Policy
		candidate string
		facts     policy.Facts
		now       time.Time
		reason    string // "": allowed
		until     time.Time
		text      string
	}{
		"no policy": {policy.Policy{}, "9.3.0.0", timer, now, "", time.Time{}, ""},
		"a hold": {policy.Policy{Hold: &policy.Hold{Reason: "audit"}}, "9.3.0.0", timer, now, policy.OnHold, time.Time{},
			"this host is held: audit"},
		"a hold counts for a document": {policy.Policy{Hold: &policy.Hold{}}, "9.3.0.0", policy.Facts{Why: ledger.ByDocument}, now,
			policy.OnHold, time.Time{}, "this host is held"},
		"a hold with an end": {policy.Policy{Hold: &policy.Hold{Until: now.Add(time.Hour)}}, "9.3.0.0", timer, now, policy.OnHold,
			now.Add(time.Hour), "until"},
		"a hold that has run out":       {policy.Policy{Hold: &policy.Hold{Until: now}}, "9.3.0.0", timer, now, "", time.Time{}, ""},
		"the version that a hold names": {policy.Policy{Hold: &policy.Hold{Version: ver("9.3.0.0")}}, "9.3.0.0", timer, now, "", time.Time{}, ""},
		"another than a hold names": {policy.Policy{Hold: &policy.Hold{Version: ver("9.3.0.0")}}, "9.4.0.0", timer, now, policy.OnHold,
			time.Time{}, "held at 9.3.0.0"},
		"a person does not get past a hold": {policy.Policy{Hold: &policy.Hold{}}, "9.3.0.0", person, now, policy.OnHold, time.Time{}, ""},
		"but by saying so": {policy.Policy{Hold: &policy.Hold{}}, "9.3.0.0", with(person, func(f *policy.Facts) { f.Override = true }), now,
			"", time.Time{}, "held"},
		"which no document can": {policy.Policy{Hold: &policy.Hold{}}, "9.3.0.0", policy.Facts{Why: ledger.ByDocument, Override: true}, now,
			policy.OnHold, time.Time{}, ""},
		"a version that was withdrawn is left though held": {policy.Policy{Hold: &policy.Hold{}, Versions: "<9.3"}, "9.3.0.0",
			with(timer, func(f *policy.Facts) { f.Rescue = true }), now, "", time.Time{}, ""},
		"but in a window": {policy.Policy{Hold: &policy.Hold{}, Windows: window}, "9.3.0.0",
			with(timer, func(f *policy.Facts) { f.Rescue = true }), now, policy.OutsideWindow, at("2029-12-01 02:00"), ""},
		"a constraint allows": {policy.Policy{Versions: ">=9.3 <9.5"}, "9.4.9.7", timer, now, "", time.Time{}, ""},
		"a constraint does not": {policy.Policy{Versions: ">=9.3 <9.5"}, "9.5.0.0", timer, now, policy.OutsideVersions, time.Time{},
			">=9.3 <9.5"},
		"a constraint that is none": {policy.Policy{Versions: "newest please"}, "9.5.0.0", timer, now, policy.Unreadable, time.Time{}, "newest"},
		"a cooldown": {policy.Policy{Cooldown: "3d"}, "9.3.0.0", with(timer, func(f *policy.Facts) { f.Published = now.Add(-48 * time.Hour) }),
			now, policy.CoolingDown, now.Add(24 * time.Hour), "waits 3d"},
		"a cooldown that is over": {policy.Policy{Cooldown: "2d"}, "9.3.0.0",
			with(timer, func(f *policy.Facts) { f.Published = now.Add(-48 * time.Hour) }), now, "", time.Time{}, ""},
		"a region that does not say when": {policy.Policy{Cooldown: "2d"}, "9.3.0.0", timer, now, "", time.Time{}, ""},
		"a cooldown that is none":         {policy.Policy{Cooldown: "soon"}, "9.3.0.0", timer, now, policy.Unreadable, time.Time{}, "soon"},
		"inside a window":                 {policy.Policy{Windows: window}, "9.3.0.0", timer, at("2029-11-24 04:59"), "", time.Time{}, ""},
		"as a window closes": {policy.Policy{Windows: window}, "9.3.0.0", timer, at("2029-11-24 05:00"), policy.OutsideWindow,
			at("2029-12-01 02:00"), "the next one opens"},
		"a window that was missed is caught up": {policy.Policy{Windows: window}, "9.3.0.0",
			with(timer, func(f *policy.Facts) { f.LastLook = at("2029-11-24 01:59") }), now, "", time.Time{}, ""},
		"one in which the host looked was not missed": {policy.Policy{Windows: window}, "9.3.0.0",
			with(timer, func(f *policy.Facts) { f.LastLook = at("2029-11-24 04:00") }), now, policy.OutsideWindow, at("2029-12-01 02:00"), ""},
		"a document catches nothing up": {policy.Policy{Windows: window}, "9.3.0.0",
			policy.Facts{Why: ledger.ByDocument, LastLook: at("2029-11-20 01:59")}, now, policy.OutsideWindow, at("2029-12-01 02:00"), ""},
		"a window that is none": {policy.Policy{Windows: []policy.Window{{Start: "at night", Duration: "3h"}}}, "9.3.0.0", timer, now,
			policy.Unreadable, time.Time{}, "five fields of cron"},
		"one of two windows is none": {policy.Policy{Windows: append(window, policy.Window{Start: "* * * * *", Duration: "3h",
			Zone: "Middle/Earth"})}, "9.3.0.0", timer, at("2029-11-24 03:00"), policy.Unreadable, time.Time{}, "Middle/Earth"},
		"a window that never opens": {policy.Policy{Windows: []policy.Window{{Start: "0 0 30 2 *", Duration: "3h"}}}, "9.3.0.0", timer, now,
			policy.Unreadable, time.Time{}, "never opens"},
		"a window of no length": {policy.Policy{Windows: []policy.Window{{Start: "0 0 * * *", Duration: "0s"}}}, "9.3.0.0", timer, now,
			policy.Unreadable, time.Time{}, "at least a minute"},
	} {
		t.Run(name, func(t *testing.T) {
			v := c.policy.Decide(c.now, ver(c.candidate), c.facts)
			if v.Allowed != (c.reason == "") || !v.Allowed && v.Reason != c.reason || !v.Until.Equal(c.until) || !strings.Contains(v.Text, c.text) {
				t.Errorf("%+v, want %q until %s", v, c.reason, c.until)
			}
			if c.facts.Override && v.Allowed && v.Reason == "" {
				t.Error("what was overridden is not told")
			}
		})
	}
}

// A week is probed minute by minute: a window is open exactly from its openings on, whatever the clocks of its zone do meanwhile.
func TestAWindowIsOpenFromItsOpeningForItsDurationWhateverTheClocksDo(t *testing.T) {
	for name, c := range map[string]struct {
		window   string
		from     time.Time
		openings []time.Time
		length   time.Duration
	}{
		"every night":       {"30 2 * * * 1h UTC", at("2029-03-20 00:00"), daily(at("2029-03-20 02:30"), 7), time.Hour},
		"over midnight":     {"30 23 * * * 2h UTC", at("2029-03-20 02:00"), daily(at("2029-03-20 23:30"), 7), 2 * time.Hour},
		"an offset":         {"30 2 * * * 1h +02:00", at("2029-03-20 01:30"), daily(at("2029-03-21 00:30"), 7), time.Hour},
		"last weekday of a": {"0 2 * * MON-FRI 1h UTC", at("2029-03-23 04:00"), daily(at("2029-03-26 02:00"), 5), time.Hour},
		"the hour that is skipped": {"30 2 * * * 1h Europe/Berlin", at("2029-03-23 12:00"), // on the 25th there is no 02:30
			[]time.Time{at("2029-03-24 01:30"), at("2029-03-26 00:30"), at("2029-03-27 00:30"), at("2029-03-28 00:30"), at("2029-03-29 00:30"),
				at("2029-03-30 00:30")}, time.Hour},
		"the hour that comes twice": {"30 2 * * * 90m Europe/Berlin", at("2029-10-27 12:00"), // on the 28th 02:30 is twice
			[]time.Time{at("2029-10-28 00:30"), at("2029-10-28 01:30"), at("2029-10-29 01:30"), at("2029-10-30 01:30"), at("2029-10-31 01:30"),
				at("2029-11-01 01:30"), at("2029-11-02 01:30"), at("2029-11-03 01:30")}, 90 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := policy.ParseWindow(c.window, c.from)
			if err != nil {
				t.Skip(err) // the system has no tz database
			}
			p := policy.Policy{Windows: []policy.Window{w}}
			for now := c.from; now.Before(c.from.Add(7 * 24 * time.Hour)); now = now.Add(time.Minute) {
				if m := now.Minute() % 30; m > 1 && m < 29 {
					continue // openings are at full and half hours
				}
				want := false
				for _, o := range c.openings {
					want = want || !now.Before(o) && now.Before(o.Add(c.length))
				}
				open, _, _ := p.Window(now)
				if open != want {
					t.Fatalf("at %s open is %t", now, open)
				}
			}
		})
	}
}

func daily(first time.Time, n int) (list []time.Time) {
	for i := range n {
		list = append(list, first.Add(time.Duration(i)*24*time.Hour))
	}
	return list
}

func TestDurationsHaveDays(t *testing.T) {
	for text, want := range map[string]time.Duration{"3d": 72 * time.Hour, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute,
		"72h": 72 * time.Hour,
		"":    -1, "d": -1, "-1d": -1, "-3h": -1, "3": -1, "1d-3h": -1, "99999999d": -1, "1.5d": -1} {
		got, err := policy.ParseDuration(text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestReasonCodesStay(t *testing.T) {
	seen := map[string]bool{}
	var codes []string
	for _, r := range policy.Reasons() {
		if seen[r.Code] || r.Means == "" || r.Status == "" || r.Success != (r.Status == "UpdateSucceeded") {
			t.Errorf("%+v", r)
		}
		seen[r.Code] = true
		codes = append(codes, r.Code)
	}
	const frozen = "up-to-date upgrade downgrade ahead-of-region region-behind downgrade-refused unsupported-platform status-skipped held " +
		"unknown-version managed-elsewhere no-version on-hold outside-versions cooling-down outside-window policy-unreadable not-the-version " +
		"below-floor package-needed updated went-back rolled-back failed postponed no-previous"
	if got := strings.Join(codes, " "); !strings.HasPrefix(got, frozen) {
		t.Errorf("codes are only ever added, behind the others:\n%s\n%s", got, frozen)
	}
}

func TestAPolicyThatKeepsTheNewestVersionBackLeavesTheScheduleAnOlderOne(t *testing.T) {
	now := at("2029-11-24 12:00")
	facts := policy.Facts{Why: ledger.ByTimer, Running: ver("9.2.0.0"), Published: now.Add(-time.Hour)}
	shut := []policy.Window{{Start: "0 2 * * *", Duration: "1h", Zone: "UTC"}}
	for name, c := range map[string]struct {
		p      policy.Policy
		asks   bool
		reason string
	}{
		"a constraint":                       {policy.Policy{Versions: "<9.4"}, true, policy.OutsideVersions},
		"a cooldown":                         {policy.Policy{Cooldown: "3d"}, true, policy.CoolingDown},
		"a hold on a version on the way":     {policy.Policy{Hold: &policy.Hold{Version: ver("9.3.0.0")}}, true, policy.OnHold},
		"a hold on the version that runs":    {policy.Policy{Hold: &policy.Hold{Version: ver("9.2.0.0")}}, false, policy.OnHold},
		"a hold":                             {policy.Policy{Hold: &policy.Hold{}}, false, policy.OnHold},
		"a constraint, outside of the hours": {policy.Policy{Versions: "<9.4", Windows: shut}, false, policy.OutsideWindow},
		"nothing":                            {policy.Policy{}, true, ""},
	} {
		if v := c.p.Scheduled(now, ver("9.4.0.0"), facts); v.Allowed != c.asks || v.Reason != c.reason {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestAReleaseThatIsPublishedAtTheEndOfTimeLeavesARecordThatCanBeWritten(t *testing.T) {
	f := policy.Facts{Why: ledger.ByTimer, Published: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	v := policy.Policy{Cooldown: "3d"}.Decide(at("2029-11-24 12:00"), ver("9.4.0.0"), f)
	if _, err := json.Marshal(v); v.Reason != policy.CoolingDown || err != nil {
		t.Errorf("%+v, %v", v, err)
	}
}
