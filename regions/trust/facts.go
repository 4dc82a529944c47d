package trust

import (
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// Facts are what a host can say of its trust, without a network.
type Facts struct {
	Root   int64      // number of the newest verified root
	SHA256 string     // of that root's file
	Seen   time.Time  // newest signed time; zero: none was seen
	Roles  []RoleFact // root, timestamp, snapshot, targets, as far as they are known
}

// RoleFact is one role's metadata as last verified.
type RoleFact struct {
	Name    string
	Version int64
	Expires time.Time
	Signed  time.Time // zero: not said
}

// Long is the life, from its signing to its end, of a role that is signed seldom, by hand.
const Long = 180 * 24 * time.Hour

// day is where warnings are counted in.
const day = 24 * time.Hour

// Left is how long a role is good yet, and whether it is time to say so: 90, 30 and 7 days before its end for one that lives long, else in
// the last third of its life. step grows with each of these thresholds (0: nothing to say, 4: it is over).
func (r RoleFact) Left(now time.Time) (left time.Duration, step int) {
	left = r.Expires.Sub(now)
	switch life := r.Expires.Sub(r.Signed); {
	case left <= 0:
		step = 4
	case r.Signed.IsZero() && r.Name != roleRoot && r.Name != roleTargets:
	case !r.Signed.IsZero() && life < Long:
		if left <= life/3 {
			step = 1
		}
	case left <= 7*day:
		step = 3
	case left <= 30*day:
		step = 2
	case left <= 90*day:
		step = 1
	}
	return left, step
}

// Now is the time that expiry is judged by: the later of the clock and the newest signed time.
func (f Facts) Now(clock time.Time) time.Time {
	if f.Seen.After(clock) {
		return f.Seen
	}
	return clock
}

func (l *look) facts(files map[string]*envelope) Facts {
	f := Facts{Root: l.root.Version(), SHA256: l.root.SHA256(), Seen: l.Seen, Roles: []RoleFact{l.root.file.fact(roleRoot)}}
	for _, name := range []string{roleTimestamp, roleSnapshot, roleTargets} {
		if e := files[name]; e != nil {
			f.Roles = append(f.Roles, e.fact(name))
		}
	}
	return f
}

func (e *envelope) fact(name string) RoleFact {
	return RoleFact{Name: name, Version: e.version, Expires: e.expires, Signed: e.head.signed}
}

// Facts are those of a state. What does not verify is left out; [ErrRoot] where the root does not.
func (s *State) Facts() (Facts, error) {
	root, err := ParseRoot(s.Root)
	if err != nil {
		return Facts{}, err
	}
	l, files := &look{State: s, root: root}, map[string]*envelope{}
	for _, row := range []struct {
		name  string
		bytes []byte
		limit int64
	}{{roleTimestamp, s.Timestamp, MaxTimestamp}, {roleSnapshot, s.Snapshot, MaxSnapshot}, {roleTargets, s.Targets, MaxTargets}} {
		if e, err := l.verify(row.bytes, row.name, row.limit); err == nil {
			files[row.name] = e
		}
	}
	return l.facts(files), nil
}

// Warnings are one line for each role that ends soon, or has ended.
func (f Facts) Warnings(clock time.Time) []string {
	var lines []string
	now := f.Now(clock)
	for _, r := range f.Roles {
		switch left, step := r.Left(now); {
		case step == 4:
			lines = append(lines, fmt.Sprintf("the source's signed file %q ended on %s: updates wait until it is signed anew; the agent goes on",
				r.Name, r.Expires.Format(time.DateOnly)))
		case step > 0:
			lines = append(lines, fmt.Sprintf("the source's signed file %q ends in %s, on %s: after that updates wait until it is signed anew",
				r.Name, span(left), r.Expires.Format(time.DateOnly)))
		}
	}
	return lines
}

// span is a time in days, or in hours below two days.
func span(d time.Duration) string {
	if d < 2*day {
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d/day))
}

// Lists tells whether the state's own targets, as far as they verify, list a file with this content.
func (s *State) Lists(key string, content []byte) bool {
	root, err := ParseRoot(s.Root)
	if err != nil {
		return false
	}
	e, err := (&look{State: s, root: root}).verify(s.Targets, roleTargets, MaxTargets)
	if err != nil {
		return false
	}
	files, err := readTargets(e)
	t, ok := files[key]
	return err == nil && ok && t.Size == int64(len(content)) && t.SHA256.String() == ground.SHA256(content)
}
