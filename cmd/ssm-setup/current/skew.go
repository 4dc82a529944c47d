package current

import (
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

// Skew is how the versions of a host and of its region differ, by the newest look: a state of regions that publish one after another, and
// no failure.
type Skew struct {
	Kind   string            `json:"kind"`            // ahead-of-region, or region-behind: a version was asked for that it does not have yet
	Offers manifests.Version `json:"offers,omitzero"` // what the region offered
	Wanted manifests.Version `json:"wanted,omitzero"` // what was asked for, of region-behind
	Seen   time.Time         `json:"seen"`
	Text   string            `json:"text"`
}

// SkewOf compares the version that runs with the last update and the last look of a host that stays current, both of which may be nil. It
// is nil where host and region agree, or where it was not looked.
func SkewOf(version string, u *ledger.Outcome, c *Result) *Skew {
	running, err := manifests.ParseVersion(version)
	if err != nil {
		return nil
	}
	var s Skew
	if u != nil {
		switch u.Kind {
		case string(manifests.Ahead):
			s = Skew{Kind: u.Kind, Offers: u.ToVersion, Seen: u.Ended}
		case string(manifests.Behind):
			s = Skew{Kind: u.Kind, Wanted: u.ToVersion, Seen: u.Ended}
		}
	}
	if c != nil && c.Looked.After(s.Seen) && !c.Version.IsZero() { // it knows the newest of the region
		s = Skew{Kind: schedule.Ahead, Offers: c.Version, Seen: c.Looked}
	}
	switch {
	case s.Kind == schedule.Ahead && s.Offers.Less(running):
		s.Text = fmt.Sprintf("it offers %s: this host is ahead of it, and stays at %s until it offers a newer one", s.Offers, running)
	case s.Kind == string(manifests.Behind) && running.Less(s.Wanted):
		s.Text = fmt.Sprintf("it does not have %s yet, which was asked for; %s runs", s.Wanted, running)
	default:
		return nil
	}
	return &s
}
