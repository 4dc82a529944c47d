package manifests

import "strings"

// Kind is what a host should do about the versions a region has.
type Kind string

// The kinds of decisions. Only Upgrade and DowngradeAllowed change anything.
const (
	UpToDate            Kind = "up-to-date"
	Ahead               Kind = "ahead-of-region"   // the host runs a newer version than this region offers
	Behind              Kind = "region-behind"     // a version was named that is newer than all this region has
	Upgrade             Kind = "upgrade"           //
	DowngradeAllowed    Kind = "downgrade"         // older, and allowed
	DowngradeRefused    Kind = "downgrade-refused" //
	UnsupportedPlatform Kind = "unsupported-platform"
	StatusSkipped       Kind = "status-skipped"    // the version is deprecated or inactive here
	Blocked             Kind = "held"              // the version failed on this host before (skip list)
	UnknownVersion      Kind = "unknown-version"   // what was asked for names no version
	Elsewhere           Kind = "managed-elsewhere" // the source is one this agent is not updated from
	NoVersion           Kind = "no-version"        // the region has no version of the asked kind
)

// Question is all that a decision rests on. Versions that are not known are zero.
type Question struct {
	Package string // for the words; empty means amazon-ssm-agent
	Region  string // for the words

	Running Version // what runs on the host now
	Floor   Version // what the installed package holds: a target equal to it needs no download
	Newest  Version // highest active version the region has for this platform
	Stable  Version // content of the region's stable/VERSION

	// Anywhere is every version that the region has of the package, for whatever platform, with [StatusOf]; nil: not known.
	Anywhere map[Version]string

	Requested      string // "" or None or latest; stable (any case); a version; a constraint such as ">=9.1"
	AllowDowngrade bool

	Status map[Version]string // every version listed for this platform, with [StatusOf]; nil: the platform is not listed
	Skip   map[Version]string // versions that failed on this host, with the reason; counts only where the request names no version

	Precondition string // why this system cannot run the target, in the original's words; empty: it can
	NotManaged   bool   // the source of the request is not one this agent is updated from
}

// Decision says what to do and how to say it. Result, Code and Lines are what a reply carries (docs/protocol/update.md, "Target
// resolution and validation", "Reporting of an update").
type Decision struct {
	Kind      Kind
	Running   Version
	Target    Version  // zero where none could be found
	FromFloor bool     // the target is what the installed package holds: no download
	Success   bool     // the reply's result: Success, or Failed
	Code      string   // error code of the original, empty for plain success
	Lines     []string // the original's v3 texts, in order
	Detail    string   // versions, region and remedy in one sentence

	// Newer is an active version that the request means rather than the target, but for which this platform has no package; zero: there is
	// none.
	Newer Version
	Hints []string // sentences people search for
}

// Changes tells whether a new version is to be put in place.
func (a Decision) Changes() bool { return a.Kind == Upgrade || a.Kind == DowngradeAllowed }

// Decide decides a question. It is pure, and the order of its checks is that of docs/protocol/update.md, "Target resolution and
// validation", with two differences: the running version need not be listed (rollback here needs no download of it), and the
// skip list.
func Decide(q Question) Decision {
	if q.Package == "" {
		q.Package = AgentPackage
	}
	if q.NotManaged {
		return q.describe(Elsewhere, q.Running)
	}
	target, named, kind := q.target()
	if kind != "" {
		return q.describe(kind, target)
	}
	down := target.Less(q.Running)
	_, listed := q.Status[target]
	switch {
	case target == q.Running:
		return q.describe(UpToDate, target)
	case down && !q.AllowDowngrade && named:
		return q.describe(DowngradeRefused, target)
	case down && !q.AllowDowngrade:
		return q.describe(Ahead, target)
	case q.Precondition != "":
		return q.describe(UnsupportedPlatform, target)
	case !listed && q.Newest.set && q.Newest.Less(target):
		return q.describe(Behind, target)
	case !listed:
		return q.describe(UnsupportedPlatform, target)
	case q.Status[target] != Active:
		return q.describe(StatusSkipped, target)
	case !named && q.Skip[target] != "":
		return q.describe(Blocked, target)
	case down:
		return q.describe(DowngradeAllowed, target)
	}
	return q.describe(Upgrade, target)
}

// target resolves what was asked for. named tells whether the request chose this version; kind says why there is none.
func (q Question) target() (target Version, named bool, kind Kind) {
	switch text := strings.TrimSpace(q.Requested); {
	case text == "" || text == "None" || text == "latest":
		return orKind(q.Newest, false, q.missing())
	case strings.EqualFold(text, "stable"):
		return orKind(q.Stable, false, NoVersion)
	default:
		if v, err := ParseVersion(text); err == nil {
			return v, true, ""
		}
		c, err := ParseConstraint(text)
		if err != nil {
			return Version{}, true, UnknownVersion
		}
		return orKind(c.Newest(q.active()), true, UnknownVersion)
	}
}

func orKind(v Version, named bool, kind Kind) (Version, bool, Kind) {
	if v.set {
		return v, named, ""
	}
	return v, named, kind
}

// missing is why there is no newest version: the platform is not listed, or none of its versions is active.
func (q Question) missing() Kind {
	if q.Status == nil {
		return UnsupportedPlatform
	}
	return NoVersion
}

func (q Question) active() []Version { return active(q.Status) }

func active(statuses map[Version]string) []Version {
	var list []Version
	for v, s := range statuses {
		if s == Active {
			list = append(list, v)
		}
	}
	return list
}

// Statuses are the versions of a listing with their statuses, as a [Question] wants them.
func (l Listing) Statuses() map[Version]string {
	m := map[Version]string{}
	for _, r := range l.file.AvailableVersions {
		if v := parsed(r.Version); v.set {
			m[v] = StatusOf(r)
		}
	}
	return m
}
