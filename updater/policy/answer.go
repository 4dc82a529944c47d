package policy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// Asking is all that the updater's plan rests on: what the region offers, what the host allows, and what the request says.
type Asking struct {
	Question manifests.Question
	Policy   Policy
	Now      time.Time
	Facts    Facts // Published and Rescue are filled in

	Index    *manifests.Index  // of the region; nil: it has none
	Verified bool              // by the host's root of trust; only then withdrawals and the oldest version allowed count
	Oldest   manifests.Version // the oldest version that a verified index allows, where none was read now; zero: any
	Running  manifests.Version // that the request is for (--if-running); zero: any
	Updater  manifests.Version // the updater at work
}

// Decide decides as [manifests.Decide] does, and has the policy judge the version that it would put in place. Of a request that leaves the
// choice to the region, versions that the policy does not allow count as not offered. The verdict is that on the decision's target: of one
// that is allowed its reason is what a person overrode; the zero value where no policy had to be asked.
func (a Asking) Decide() (d manifests.Decision, v Verdict) {
	q := &a.Question
	q.Package = cmp.Or(q.Package, manifests.AgentPackage)
	if a.Running != (manifests.Version{}) && a.Running != q.Running {
		return a.refuse(manifests.Decision{Running: q.Running}, NotRunning,
			fmt.Sprintf("%s runs, and the request is for hosts that run %s", q.Running, a.Running)), Verdict{}
	}
	if w, withdrawn := a.Index.Replacement(q.Running); withdrawn && a.Verified && !named(q.Requested) && q.Skip[w.Go] == "" {
		q.Requested, q.AllowDowngrade, a.Facts.Rescue = w.Go.String(), true, true
		defer func() {
			d.Detail = fmt.Sprintf("%s was withdrawn, and the region sends its hosts to %s: %s; %s", q.Running, w.Go,
				cmp.Or(cut(w.Reason), "no reason is given"), d.Detail)
		}()
	}
	if d = manifests.Decide(*q); !d.Changes() {
		return d, Verdict{}
	}
	v = a.judge(d.Target)
	if !v.Allowed && !a.Facts.Rescue && !exact(q.Requested) && q.Status != nil {
		if again, ok := a.amongPermitted(); ok {
			again.Newer = manifests.Version{} // the policy chose, and not what this platform has
			return a.bounds(again), Verdict{Allowed: true}
		}
	}
	if d = a.bounds(d); !d.Changes() {
		return d, Verdict{}
	}
	if !v.Allowed {
		return a.withheld(d, v), v
	}
	if v.Reason != "" {
		d.Detail += "; " + v.Text + ", and that was overridden"
	}
	return d, v
}

// Obey is a decision that was made elsewhere, held against the policy as [Asking.Decide] does with its own. Of the question it needs the
// requested version.
func (a Asking) Obey(d manifests.Decision) manifests.Decision {
	a.Question.Running, a.Question.Package = d.Running, cmp.Or(a.Question.Package, manifests.AgentPackage)
	if !d.Changes() {
		return d
	}
	v := a.judge(d.Target)
	if !v.Allowed {
		return a.withheld(d, v)
	}
	if v.Reason != "" {
		d.Detail += "; " + v.Text + ", and that was overridden"
	}
	return d
}

// judge asks the policy about one version.
func (a Asking) judge(v manifests.Version) Verdict {
	f := a.Facts
	f.Running, f.Published = a.Question.Running, a.Index.Rollout(v).Published
	return a.Policy.Decide(a.Now, v, f)
}

// amongPermitted decides anew with those versions only that the policy allows; false where that changes nothing on the host.
func (a Asking) amongPermitted() (manifests.Decision, bool) {
	q := a.Question
	left, newest := map[manifests.Version]string{}, manifests.Version{}
	out, why := manifests.Version{}, Verdict{}
	for v, s := range q.Status {
		if s == manifests.Active && v != q.Running {
			if verdict := a.judge(v); !verdict.Allowed {
				if out.Less(v) {
					out, why = v, verdict
				}
				continue
			}
		}
		if left[v] = s; s == manifests.Active && newest.Less(v) {
			newest = v
		}
	}
	q.Status, q.Newest = left, newest
	d := manifests.Decide(q)
	if d.Changes() {
		d.Detail += fmt.Sprintf("; %s is kept back: %s", out, why.Text)
	}
	return d, d.Changes()
}

// bounds holds a change against what no policy and no person gets past.
func (a Asking) bounds(d manifests.Decision) manifests.Decision {
	oldest := a.Oldest
	if a.Verified && a.Index != nil && !a.Index.Floor.IsZero() {
		oldest = a.Index.Floor
	}
	if d.Target.Less(oldest) {
		return a.refuse(d, BelowFloor, fmt.Sprintf("%s is older than %s, the oldest version that the signed index of the region allows", d.Target,
			oldest))
	}
	if a.Index == nil || a.Index.Minimum == nil || d.FromFloor || d.Target.Less(a.Question.Running) {
		return d
	}
	least := a.Index.Minimum
	switch {
	case a.Question.Floor.Less(least.Launcher):
		d = a.refuse(d, PackageNeeded, fmt.Sprintf("package upgrade needed: %s wants the package version %s or newer on the host, which has %s",
			d.Target, least.Launcher, a.Question.Floor))
	case !a.Updater.IsZero() && a.Updater.Less(least.Updater):
		d = a.refuse(d, PackageNeeded, fmt.Sprintf("package upgrade needed: %s wants to be installed by %s or newer, and %s runs", d.Target,
			least.Updater, a.Updater))
	default:
		return d
	}
	d.Hints = []string{"ssm-setup install --version " + d.Target.String() + " renews the package"}
	return d
}

// refuse is a decision against the target that no skipping makes right: a failed precondition in the original's words.
func (a Asking) refuse(d manifests.Decision, reason, text string) manifests.Decision {
	d.Kind, d.Success, d.Code, d.FromFloor, d.Hints = manifests.Kind(reason), false, manifests.CodePrecondition, false, nil
	d.Lines = []string{"Failed update precondition check: " + text}
	d.Detail = text + "; it stays at " + a.Question.Running.String()
	return d
}

// withheld is the decision that the policy's verdict makes of a change. A request that names no version is skipped, as the original
// skips an inactive version; one that names a version did not get it.
func (a Asking) withheld(d manifests.Decision, v Verdict) manifests.Decision {
	head := fmt.Sprintf("Updating %s from %s to %s", a.Question.Package, d.Running, d.Target)
	if named(a.Question.Requested) && !a.Facts.Rescue {
		d = a.refuse(d, v.Reason, v.Text)
		d.Lines = append([]string{head}, d.Lines...)
		return d
	}
	d.Kind, d.Success, d.Code, d.FromFloor, d.Hints = manifests.Kind(v.Reason), true, manifests.CodePrecondition, false, nil
	d.Lines = []string{head, "Failed update precondition check: " + v.Text, "update skipped"}
	d.Detail = fmt.Sprintf("%s; it stays at %s, and %s waits", v.Text, d.Running, d.Target)
	return d
}

// named tells whether a request names its version, or versions.
func named(requested string) bool {
	text := strings.TrimSpace(requested)
	return text != "" && text != "None" && text != "latest" && !strings.EqualFold(text, "stable")
}

// exact tells whether a request leaves no choice: it names one version, or the region's stable one.
func exact(requested string) bool {
	if _, err := manifests.ParseVersion(requested); err == nil {
		return true
	}
	return strings.EqualFold(strings.TrimSpace(requested), "stable")
}
