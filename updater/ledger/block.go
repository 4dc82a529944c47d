package ledger

import (
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// Blocked is a version that failed on this host, or that an administrator rolled back from.
type Blocked struct {
	Version  manifests.Version `json:"version"`
	Reason   string            `json:"reason"`
	Attempts int               `json:"attempts"`
	Until    time.Time         `json:"until"`
	// Scheduled: a person went back from it. Only scheduled updates keep away from it.
	Scheduled bool `json:"scheduled,omitempty"`
}

// How long a version is held back: a day after the first failure, doubling to a month.
const (
	blockFirst = 24 * time.Hour
	blockMost  = 30 * 24 * time.Hour
)

// Block enters a version, or renews its entry.
func (l *Ledger) Block(v manifests.Version, reason string, scheduled bool, now time.Time) {
	if v.IsZero() {
		return
	}
	h := Blocked{Version: v, Reason: Cut(reason, 300), Scheduled: scheduled}
	if old, ok := l.Unblock(v); ok {
		h.Attempts = old.Attempts
		h.Scheduled = scheduled && old.Scheduled
	}
	life := blockFirst
	for range min(h.Attempts, 10) {
		life = min(2*life, blockMost)
	}
	h.Attempts++
	h.Until = now.Add(life)
	l.Skip = keepLast(append(l.Skip, h), mostBlocked)
}

// Tried is a version whose last trials on this host ended without showing that it is to blame: it was killed from outside, or the
// machine was in the way.
type Tried struct {
	Version manifests.Version `json:"version"`
	Times   int               `json:"times"`
}

// mostTries is how many such trials a version gets before it is blocked all the same.
const mostTries = 3

// TriesLeft reports whether a version may have another trial after one more of this sort.
func (l *Ledger) TriesLeft(v manifests.Version) bool {
	for _, t := range l.Tried {
		if t.Version == v {
			return t.Times+1 < mostTries
		}
	}
	return true
}

// NoteTried notes such a trial. Blocking the version begins the count anew.
func (l *Ledger) NoteTried(v manifests.Version) {
	l.Tried = keepLast(append(l.Tried, Tried{v, l.forgetTried(v) + 1}), mostBlocked)
}

// forgetTried takes a version's count away.
func (l *Ledger) forgetTried(v manifests.Version) (times int) {
	for i, t := range l.Tried {
		if t.Version == v {
			l.Tried = append(l.Tried[:i:i], l.Tried[i+1:]...)
			return t.Times
		}
	}
	return 0
}

// Unblock takes a version's entry away.
func (l *Ledger) Unblock(v manifests.Version) (Blocked, bool) {
	l.forgetTried(v)
	for i, h := range l.Skip {
		if h.Version == v {
			l.Skip = append(l.Skip[:i:i], l.Skip[i+1:]...)
			return h, true
		}
	}
	return Blocked{}, false
}

// SkipFor are the versions to keep away from for a request that names none.
func (l *Ledger) SkipFor(r Request, now time.Time) map[manifests.Version]string {
	skip := map[manifests.Version]string{}
	for _, h := range l.Skip {
		if now.Before(h.Until) && (!h.Scheduled || !r.Explicit()) {
			skip[h.Version] = h.Reason
		}
	}
	return skip
}
