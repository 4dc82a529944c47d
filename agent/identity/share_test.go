package identity

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// docs/protocol/identity.md, "Shared credentials file": the form of the file, and that nothing else in it changes.
func TestOnlyOurProfileOfASharedFileChanges(t *testing.T) {
	const ours = "aws_access_key_id     = A\naws_secret_access_key = S\naws_session_token     = T\n"
	rows := []struct{ name, profile, old, want string }{
		{"new", "default", "", "[default]\n" + ours + "\n"},
		{"replaced", "default", "[default]\n" + ours + "\n", "[default]\n" + ours + "\n"},
		{"among others", "default",
			"# mine\n[work]\naws_access_key_id=W\n\n[ default ]\nregion = x\naws_access_key_id = old\nAWS_SESSION_TOKEN = old\n\n[last]\nk=v",
			"# mine\n[work]\naws_access_key_id=W\n\n[ default ]\n" + ours + "region = x\n\n[last]\nk=v"},
		{"behind others", "agent", "[work]\naws_access_key_id=W", "[work]\naws_access_key_id=W\n[agent]\n" + ours + "\n"},
		{"only a header", "default", "[default]", "[default]\n" + ours},
		{"twice", "default", "[default]\naws_session_token=1\n[x]\n[default]\naws_session_token=2\n", "[default]\n" + ours + "[x]\n[default]\n"},
		{"nonsense is kept", "default", "nonsense\n\x00[\n", "nonsense\n\x00[\n[default]\n" + ours + "\n"},
	}
	for _, r := range rows {
		if got := replaceProfile(r.old, r.profile, keys{"A", "S", "T"}); got != r.want {
			t.Errorf("%s:\n%s\nwant\n%s", r.name, got, r.want)
		}
	}
}

func TestASharedFileIsMadeAndReadAgain(t *testing.T) {
	s := share{file: filepath.Join(t.TempDir(), "aws", "credentials")}
	if _, err := s.read(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := s.write(keys{"A", "S", "T=="}); err != nil {
		t.Fatal(err)
	}
	if k, err := s.read(); err != nil || k != (keys{"A", "S", "T=="}) {
		t.Error(k, err)
	}
	if _, err := (share{s.file, "other"}).read(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := (share{s.file, "second"}).write(keys{"B", "S", "T"}); err != nil {
		t.Fatal(err)
	}
	if k, err := s.read(); err != nil || k.access != "A" {
		t.Error("the other profile was lost", k, err)
	}
}

// docs/protocol/identity.md, "Refresher timing", hybrid nodes.
func TestHowLongAFailureWaits(t *testing.T) {
	aws := func(code string) error { return &cloud.Error{Code: code, Status: 400} }
	rows := []struct {
		err       error
		n         int
		low, high time.Duration
	}{
		{aws("MachineFingerprintDoesNotMatch"), 0, 25 * time.Minute, 30 * time.Minute},
		{aws("AccessDeniedException"), 9, 25 * time.Minute, 30 * time.Minute},
		{aws("InvalidInstanceId"), 0, 11 * time.Second, 21 * time.Second},
		{aws("InternalServerError"), 3, 18 * time.Second, 29 * time.Second},
		{aws("InvalidInstanceId"), 16, 25 * time.Minute, 30 * time.Minute},
		{errors.New("no fingerprint"), 0, time.Second, 1200 * time.Millisecond},
		{errors.New("no fingerprint"), 60, 25 * time.Minute, 30 * time.Minute},
		{&cloud.Error{Code: cloud.RequestError}, 2, 4 * time.Second, 5 * time.Second},
		{&cloud.Error{Code: cloud.RequestError}, 16, 48 * time.Second, time.Minute},
	}
	for _, r := range rows {
		for range 100 {
			if got := failurePause(r.err, r.n); got < r.low || got > r.high {
				t.Errorf("%v, %d: %v", r.err, r.n, got)
			}
		}
	}
}

func TestWhenALeaseIsDue(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := lease{keys{"A", "S", "T"}, now, now.Add(time.Hour)}
	for after, want := range map[time.Duration]bool{0: true, 58 * time.Minute: true, 59*time.Minute + time.Second: false,
		-time.Minute: true, -time.Hour: false} {
		if l.good(now.Add(after)) != want {
			t.Error(after)
		}
	}
	if !l.due().Equal(now.Add(30*time.Minute)) || !(lease{}).due().IsZero() || (lease{}).good(now) {
		t.Error("due")
	}
	if short := (lease{keys{"A", "S", "T"}, now, now.Add(2 * time.Second)}); !short.good(now.Add(time.Second)) {
		t.Error("two seconds are a life too")
	}
}

func TestTheAgeOfAKey(t *testing.T) {
	now := time.Date(2026, 3, 6, 6, 0, 0, 0, time.UTC)
	rows := map[string]int{
		"2026-03-04 05:06:07.890123456 +0000 UTC": 2,
		"2026-03-04 05:06:07.1 +0100 CET":         2,
		"2026-03-06 05:06:07 +0000 UTC":           0,
		"":                                        3650,
	}
	for text, want := range rows {
		if got, err := (record{PrivateKeyCreatedDate: text}).keyAge(now); got != want || err != nil {
			t.Error(text, got, err)
		}
	}
	if _, err := (record{PrivateKeyCreatedDate: "4 March"}).keyAge(now); err == nil {
		t.Error("a date that cannot be read")
	}
}
