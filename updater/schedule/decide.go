package schedule

import (
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// What a source is followed for.
const (
	Latest = "latest"
	Stable = "stable"
)

// Codes of verdicts. They stand in the record and in status --json.
const (
	UpToDate  = "up-to-date"
	Ahead     = "ahead-of-region" // the host runs a newer version
	NoVersion = "no-version"      // the source names none
	Halted    = "halted"          // the region has stopped updates that hosts do by themselves
	NotYet    = "not-yet"         // the version is for a share of hosts of which this is none
	Asked     = "asked"           // the updater has the request
	Busy      = "busy"            // another update is under way
	Failed    = "failed"          // the region could not be read, or the updater did not start
)

// Verdict is what follows from a look.
type Verdict struct {
	Code string
	Ask  bool // the updater is to be asked
}

// Decide says what a host that runs a version does about what it saw.
func Decide(host string, running manifests.Version, s Seen) Verdict {
	if _, rescue := s.Rescue(running); rescue && !s.Halted {
		return Verdict{Code: Asked, Ask: true} // for all hosts: a share is of those that go to a newer version
	}
	switch {
	case s.Version.IsZero():
		return Verdict{Code: NoVersion}
	case s.Version == running:
		return Verdict{Code: UpToDate}
	case s.Version.Less(running):
		return Verdict{Code: Ahead}
	case s.Halted:
		return Verdict{Code: Halted}
	case !Admitted(host, s.Version, s.Percent):
		return Verdict{Code: NotYet}
	}
	return Verdict{Code: Asked, Ask: true}
}

// ErrUntrusted says that a host does not follow a source by itself: the host has no root to verify it by, and the way to it proves nothing.
var ErrUntrusted = fault.New(fault.Refused, "a host stays current only over https or with a root of trust",
	"use an https address, or pin the root of trust that signs the source: ssm-setup install --trust FILE")

// Trust says for people why the source at base is believed. Without a root that is TLS, or that the region is on this very machine; a
// folder, and plain http to another machine, need one: else [ErrUntrusted].
func Trust(base string, hasRoot bool) (string, error) {
	_, isFolder := regions.FolderOf(base)
	switch {
	case hasRoot:
		return "signed", nil
	case isFolder:
		return "", fmt.Errorf("%w: the source is a folder, and there is no root of trust", ErrUntrusted)
	case regions.Insecure(base):
		return "", fmt.Errorf("%w: the source is plain http to another machine, and there is no root of trust", ErrUntrusted)
	case regions.OnThisMachine(base):
		return "unverified: the region is on this machine", nil
	}
	return "by TLS only", nil
}

// Period is how long a host waits between two looks: seconds as set, 0 for the usual. Only a region on this machine is asked more often
// than once an hour.
func Period(seconds int, base string) time.Duration {
	d := time.Duration(seconds) * time.Second
	switch {
	case seconds <= 0:
		return Usual
	case regions.OnThisMachine(base):
		return min(d, Longest)
	}
	return min(max(d, Shortest), Longest)
}

// SelfUpdatePeriod is Agent.SelfUpdateScheduleDay as a time: 1 to 7 days, anything else is 7 (docs/protocol/update.md, "Scheduled
// self-update").
func SelfUpdatePeriod(days int) time.Duration {
	if days < 1 || days > 7 {
		days = 7
	}
	return time.Duration(days) * 24 * time.Hour
}

// SelfUpdateLongest is more than any [SelfUpdateDelay].
const SelfUpdateLongest = 45000 * time.Second

// SelfUpdateDelay is how long a host waits before a run of Agent.SelfUpdate: 1,800 to 44,999 seconds, by its id and the time (same
// source).
func SelfUpdateDelay(host string, now time.Time) time.Duration {
	return time.Duration(1800+number("self-update", host, now.UTC().Format(time.RFC3339Nano))%(45000-1800)) * time.Second
}

// SelfUpdateTarget is the version that a host leaves a deprecated one for: the newest active one, also where that is older; none where
// the running version is not deprecated. [manifests.ErrNotListed] where the source does not know the running version.
func SelfUpdateTarget(running manifests.Version, l manifests.Listing) (to manifests.Version, err error) {
	status, err := l.Status(running)
	if err != nil || status != manifests.Deprecated {
		return to, err
	}
	return l.LatestActive(), nil
}
