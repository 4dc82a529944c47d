package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// Policy is what updates of a host have to obey. The zero value allows everything.
type Policy struct {
	Hold     *Hold    `json:"hold,omitempty"`
	Versions string   `json:"versions,omitempty"` // a constraint such as ">=9.3 <9.5"; empty: all
	Windows  []Window `json:"windows,omitempty"`  // in one of which an update has to begin; empty: at any time
	Cooldown string   `json:"cooldown,omitempty"` // how long a release has to have been published, such as "72h"; empty: no time

	damage error // why the file says nothing that counts
}

// Hold keeps a host at a version.
type Hold struct {
	Version manifests.Version `json:"version,omitzero"` // the only one that may be installed; zero: the one that runs stays
	Reason  string            `json:"reason,omitempty"`
	Since   time.Time         `json:"since,omitzero"`
	Until   time.Time         `json:"until,omitzero"` // zero: until it is taken away
}

// At is the hold that counts at a time; nil where there is none, or where it has run out.
func (p Policy) At(now time.Time) *Hold {
	if p.Hold == nil || !p.Hold.Until.IsZero() && !now.Before(p.Hold.Until) {
		return nil
	}
	return p.Hold
}

// Empty tells whether a policy asks for nothing.
func (p Policy) Empty() bool {
	return p.damage == nil && p.Hold == nil && p.Versions == "" && len(p.Windows) == 0 && p.Cooldown == ""
}

// Check says why a policy could not be obeyed; nil where it can. Now is when it is asked: a window that never opens again is refused.
func (p Policy) Check(now time.Time) error {
	if p.damage != nil {
		return p.damage
	}
	var wrong []error
	if p.Versions != "" {
		if _, err := manifests.ParseConstraint(p.Versions); err != nil {
			wrong = append(wrong, fmt.Errorf("versions: %w", err))
		}
	}
	for _, w := range p.Windows {
		if err := w.check(now); err != nil {
			wrong = append(wrong, err)
		}
	}
	if _, err := p.cooldown(); err != nil {
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}

// longestCooldown bounds a cooldown.
const longestCooldown = 366 * 24 * time.Hour

func (p Policy) cooldown() (time.Duration, error) {
	if p.Cooldown == "" {
		return 0, nil
	}
	d, err := ParseDuration(p.Cooldown)
	if err == nil && d > longestCooldown {
		err = errors.New("it is longer than a year")
	}
	if err != nil {
		return 0, fmt.Errorf("cooldown %q: %w", cut(p.Cooldown), err)
	}
	return d, nil
}

// String is the hold for people.
func (h Hold) String() string {
	text := "held"
	if !h.Version.IsZero() {
		text += " at " + h.Version.String()
	}
	if !h.Until.IsZero() {
		text += " until " + when(h.Until)
	}
	if h.Reason != "" {
		text += ": " + h.Reason
	}
	return text
}

// UnmarshalJSON reads a hold; a version in it that is none is an error, not a hold of no version.
func (h *Hold) UnmarshalJSON(b []byte) error {
	type plain Hold
	var raw struct {
		Version *string `json:"version"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if raw.Version != nil {
		if _, err := manifests.ParseVersion(*raw.Version); err != nil {
			return err
		}
	}
	return json.Unmarshal(b, (*plain)(h))
}

// when is a time for people, in their own zone.
func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

// cut bounds a text from a file as it stands in a message.
func cut(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) > 100 {
		text = strings.ToValidUTF8(text[:100], "") + "…"
	}
	return text
}
