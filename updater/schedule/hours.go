package schedule

import "time"

// Hours are the maintenance windows of a host: the one that is open at t, or else the next one that opens; zero: there is none. Nil: the
// host has none. It is [policy.Policy.Opening].
//
// [policy.Policy.Opening]: https://pkg.go.dev/github.com/ssm-setup/ssm-setup/updater/policy#Policy.Opening
type Hours func(t time.Time) (opens, closes time.Time)

// Into moves the next look into a window that would else pass without one: a short window lies between two looks. It brings the look
// forward, or has it wait for an opening of the next hour. At most one look an hour is made so, and none while failures are waited out.
// Called again it changes nothing.
func (r *Record) Into(id string, hours Hours, period time.Duration, now time.Time) {
	if hours == nil || r.Failures > 0 {
		return
	}
	if opens, _ := hours(r.Next); opens.IsZero() || !opens.After(r.Next) {
		return // there is none, or it looks in one
	}
	apart, from := min(Shortest, period/2), now
	if opens, _ := hours(r.Looked); !r.Looked.IsZero() && !opens.After(r.Looked) { // it looked in one
		from = later(from, r.Looked.Add(apart))
	}
	opens, closes := hours(from)
	if !opens.After(from) && !r.Looked.Before(opens) || r.Looked.IsZero() && !opens.After(now) {
		opens, closes = hours(closes) // this one is done; a host that was just installed has the newest version
	}
	if at := later(inside(id, opens, closes), from); !opens.IsZero() && at.Before(r.Next.Add(apart)) {
		r.Next = at
	}
}

// Inside is a time for what a host does at t, once it has windows: t itself while one is open, else in the next one.
func Inside(id string, hours Hours, t time.Time) time.Time {
	if hours == nil {
		return t
	}
	if opens, closes := hours(t); opens.After(t) {
		return inside(id, opens, closes)
	}
	return t
}

// inside is a host's place in a window: in its first three quarters, so that the update still begins in it.
func inside(id string, opens, closes time.Time) time.Time {
	return opens.Add(part(number("window", id), closes.Sub(opens)*3/4))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
