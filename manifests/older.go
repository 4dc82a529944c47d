package manifests

import (
	"fmt"
	"slices"
	"strings"
)

// newer is the active version that the request would mean, did this platform have a package of it; zero: the target is that version, or
// the request names it.
func (q Question) newer(target Version) Version {
	all := slices.DeleteFunc(active(q.Anywhere), func(v Version) bool { _, here := q.Status[v]; return here })
	best := highest(all)
	switch text := strings.TrimSpace(q.Requested); {
	case text == "" || text == "None" || text == "latest":
	case strings.EqualFold(text, "stable"):
		return Version{}
	default:
		c, err := ParseConstraint(text)
		if _, exact := ParseVersion(text); exact == nil || err != nil {
			return Version{}
		}
		best = c.Newest(all)
	}
	if !target.set || !target.Less(best) {
		return Version{}
	}
	return best
}

// OlderText says that an older version was chosen, since the newest has no package for this platform; empty where that is not so.
func (a Decision) OlderText() string { return OlderText(a.Newer, a.Target) }

// OlderText says that a version was chosen though there is a newer one, which has no package for this platform. Empty where newer is zero.
func OlderText(newer, chosen Version) string {
	if !newer.set {
		return ""
	}
	return fmt.Sprintf("the newest version is %s, which has no package for this system: %s is the newest that has one", newer, chosen)
}
