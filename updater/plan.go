package updater

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// plan is the second stop: it ends in a target, or in an answer with a reason.
func (w *work) plan(ctx context.Context) error {
	state, err := w.store.Read()
	if err != nil {
		return fmt.Errorf("read which version is active: %w", err)
	}
	floor, err := w.System.Floor()
	if err != nil {
		return fmt.Errorf("find the package version: %w", err)
	}
	w.u.FromVersion, w.u.Region, w.u.Lines, w.u.Notes = w.running(state, floor), w.Settings.Region, nil, nil
	if w.u.Request.GoesBack() {
		return w.planBack(state, floor)
	}
	answer, verdict, err := w.decide(ctx, floor)
	if err != nil {
		return err
	}
	w.u.ToVersion, w.u.FromFloor, w.u.Lines, w.u.Overrode = answer.Target, answer.FromFloor, answer.Lines, ""
	if !answer.Changes() {
		return w.answered(answer, verdict)
	}
	if w.u.Overrode = verdict.Reason; verdict.Reason != "" {
		w.u.Notes = append(w.u.Notes, verdict.Text+"; a person on this machine overrode that")
	}
	if answer.FromFloor {
		w.u.To = pointer.OnFloor()
		w.u.Known = w.ledger.HasConfirmed(floor, "") && answer.Kind == manifests.DowngradeAllowed
	}
	return nil
}

// running is the version at work: what the agent's pulse says, else what the pointer does.
func (w *work) running(state pointer.State, floor manifests.Version) manifests.Version {
	if p, ok := w.pulse(); ok {
		if v, err := manifests.ParseVersion(p.Version); err == nil {
			return v
		}
	}
	return versionOf(state.Active, floor)
}

// versionOf is a target's version; the floor's is the launcher's stamp.
func versionOf(t pointer.Target, floor manifests.Version) manifests.Version {
	if t.IsFloor() {
		return floor
	}
	v, _ := manifests.ParseVersion(t.Version)
	return v
}

// planBack plans a rollback: to what the pointer calls previous, else to the floor. No region is asked.
func (w *work) planBack(state pointer.State, floor manifests.Version) error {
	if o := w.ledger.Last; o != nil && o.Kind == ledger.RolledBack && o.Ended.After(w.u.Request.Asked) {
		w.u.FromVersion, w.u.ToVersion = o.ToVersion, o.FromVersion // what was to be left has been taken back since the request was made
		return &ending{w.outcome(ledger.WentBack)}
	}
	to := state.Previous
	if to.IsZero() && !state.Active.IsFloor() {
		to = pointer.OnFloor()
	}
	if to.IsZero() {
		return &ending{w.outcome(ledger.NoPrevious)}
	}
	w.u.To, w.u.FromFloor, w.u.ToVersion = to, to.IsFloor(), versionOf(to, floor)
	if oldest := w.Settings.Oldest; w.u.ToVersion.Less(oldest) {
		return w.refused(policy.BelowFloor, fmt.Sprintf("%s is older than %s, the oldest version that the signed index of the region allows",
			w.u.ToVersion, oldest))
	}
	w.u.Known = w.ledger.HasConfirmed(w.u.ToVersion, to.Hash) ||
		w.ledger.HasConfirmed(w.u.ToVersion, "") // what a floor left behind in the store
	w.u.Lines = []string{fmt.Sprintf("Updating %s from %s to %s", w.product(), w.u.FromVersion, w.u.ToVersion)}
	return nil
}

// decide asks the region and has the rules of updater/policy answer: the same for an update and for the question what one would do.
func (w *work) decide(ctx context.Context, floor manifests.Version) (manifests.Decision, policy.Verdict, error) {
	a := policy.Asking{Now: w.Now(), Running: w.u.Request.IfRunning, Oldest: w.Settings.Oldest}
	a.Updater, _ = manifests.ParseVersion(w.Settings.Agent.Version)
	var err error
	if a.Policy, err = policy.Read(w.Layout); err != nil {
		w.Log.Warn("the update policy counts as one that allows nothing", "error", err)
	}
	a.Facts = policy.Facts{Why: w.u.Request.Why, Override: w.u.Request.Override, LastLook: w.u.Request.LastLook}
	q := &a.Question
	*q = manifests.Question{
		Package: w.product(), Region: w.Settings.Region, Running: w.u.FromVersion, Floor: floor,
		Requested: w.u.Request.Want, AllowDowngrade: w.u.Request.AllowDowngrade,
		Skip: w.ledger.SkipFor(w.u.Request, w.Now()), Precondition: w.Settings.Precondition,
	}
	url, note, managed := chooseSource(w.Settings, w.u.Request)
	w.u.Source = strings.ReplaceAll(url, "{Region}", w.Settings.Region)
	if note != "" {
		w.u.Notes = append(w.u.Notes, note)
	}
	if !managed {
		q.NotManaged = true
		answer, verdict := a.Decide()
		return answer, verdict, nil
	}
	listing, err := w.region(ctx, q)
	if err == nil {
		a.Index, a.Verified, err = w.index(ctx)
	}
	if err != nil {
		return manifests.Decision{}, policy.Verdict{}, err
	}
	answer, verdict := a.Decide()
	if w.u.Newer = answer.Newer; !answer.Newer.IsZero() {
		w.u.Notes = append(w.u.Notes, answer.OlderText())
	}
	if !answer.Changes() || answer.FromFloor {
		return answer, verdict, nil
	}
	release, _ := listing.Find(answer.Target)
	file := manifests.PortableFile(runtime.GOOS, runtime.GOARCH)
	sum, err := release.Sum()
	if err != nil {
		w.Log.Warn("no usable checksum", "error", err) // fetch refuses it
	}
	w.u.Package = ledger.Package{File: file, URL: w.source.URL(answer.Target, file), SHA256: sum, Size: release.Size,
		Unpacked: release.UnpackedSize}
	w.chooseDelta(answer.Target)
	return answer, verdict, nil
}

// index reads what the region says about its releases beyond the manifest. Where it cannot be read, a scheduled update waits for it, and
// any other goes on as in a region that has none.
func (w *work) index(ctx context.Context) (*manifests.Index, bool, error) {
	if w.source.Index == nil {
		return nil, false, nil
	}
	index, verified, err := w.source.Index(ctx)
	if err != nil && w.u.Request.Explicit() {
		w.u.Notes = append(w.u.Notes, "the region's index was not read: "+printable(err.Error()))
		return nil, false, nil
	}
	if err != nil {
		return nil, false, &failure{code: "ErrorDownloadManifest_d3", fault: fault.Region, cause: err,
			text: "cannot read the index of the region: " + err.Error()}
	}
	return index, verified, nil
}

// region reads the manifest and, where it matters, stable/VERSION.
func (w *work) region(ctx context.Context, q *manifests.Question) (listing manifests.Listing, err error) {
	if w.source, err = w.Open(ctx, w.u.Source); err != nil {
		return listing, &failure{code: "ErrorManifestURLParse", fault: fault.Region, cause: err,
			text: fmt.Sprintf("Failed to resolve manifest url: %v", err)}
	}
	m, err := w.source.Manifest(ctx)
	if err != nil {
		if fault.Of(err) == fault.Verify {
			w.u.Notes = append(w.u.Notes, fault.HintOf(err))
		}
		return listing, noManifest(w.u.Source, err)
	}
	if w.source.Trust != nil {
		if w.u.Trust, err = w.source.Trust(ctx); err != nil {
			return listing, noManifest(w.u.Source, err)
		}
	}
	w.manifest = m
	listing, err = m.Listing(manifests.AgentPackage, manifests.PortableFile(runtime.GOOS, runtime.GOARCH))
	switch {
	case errors.Is(err, manifests.ErrNotListed):
		err = nil
	case err != nil:
		return listing, noManifest(w.u.Source, err)
	default:
		q.Newest, q.Status = listing.LatestActive(), listing.Statuses()
		if q.Anywhere, err = m.Statuses(manifests.AgentPackage); err != nil {
			return listing, noManifest(w.u.Source, err)
		}
	}
	if strings.EqualFold(strings.TrimSpace(q.Requested), "stable") {
		if q.Stable, err = w.source.Stable(ctx); err != nil {
			return listing, &failure{code: manifests.CodeNoStable, fault: fault.Region, cause: err,
				text: fmt.Sprintf("Failed to get stable version form s3: %v", err)}
		}
	}
	return listing, err
}

// noManifest carries the short code of docs/protocol/update.md, "Manifest file": d6 for one read that is none, d3 for one not read.
func noManifest(url string, err error) error {
	short, text := "d3", fmt.Sprintf("failed to download file reliably, %s, %v", url, err)
	if errors.Is(err, manifests.ErrManifest) {
		short, text = "d6", fmt.Sprintf("failed to download file reliably, %s", url)
	}
	kind := fault.Region
	if fault.Of(err) == fault.Verify { // what the region signed is not to be believed
		kind = fault.Verify
	}
	return &failure{code: "ErrorDownloadManifest_" + short, fault: kind, cause: err,
		text: "Failed to download manifest: " + text}
}

// chooseSource says where updates come from. The configuration's source wins over a document's. Without one, a document's counts only
// if it is the host's own region on this machine: AWS's bucket of the region, which the real document names, holds nothing of ours, and
// no other address becomes a source because a document says so. What a person names on this machine for once wins over all.
func chooseSource(s Settings, r ledger.Request) (url, note string, managed bool) {
	fill, asked := strings.NewReplacer("{Region}", s.Region), r.Source
	switch filled := fill.Replace(asked); {
	case r.Once && r.Why == ledger.ByCommandLine && asked != "":
		return asked, "", true
	case s.Source != "" && asked != "" && filled != fill.Replace(s.Source):
		return s.Source,
			"the document's source " + printable(fault.Redact(asked)) + " is not used: Agent.UpdateSource names " + fault.Redact(s.Source), true
	case s.Source != "":
		return s.Source, "", true
	case asked == "", regions.AWSManifest(asked, s.Region), s.Region == "" && asked == awsSource:
		return asked, "", false
	case filled == s.LocalSource:
		return asked, "", true
	}
	return "", "the document's source " + printable(asked) + " is not used: it is neither Agent.UpdateSource nor this host's own region", false
}

// awsSource is what the real document names.
const awsSource = "https://s3.{Region}.amazonaws.com/amazon-ssm-{Region}/ssm-agent-manifest.json"

// printable is a text from outside as it may stand in a reply or a log: at most 300 bytes, no control characters.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, ledger.Cut(text, 300))
}

// oneLine is what a program printed as it may stand in a reply or a log: a single line of at most n bytes, no control characters.
func oneLine(text string, n int) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, ledger.Cut(text, n))
}

// refused is an ending without a change, for a precondition of the request.
func (w *work) refused(reason, text string) error {
	return w.answered(manifests.Decision{Kind: manifests.Kind(reason), Code: manifests.CodePrecondition,
		Lines: []string{"Failed update precondition check: " + text}, Detail: text + "; it stays at " + w.u.FromVersion.String()},
		policy.Verdict{})
}

// stillRunning tells whether the version that the request is for runs as yet (--if-running).
func (w *work) stillRunning(now manifests.Version) error {
	if want := w.u.Request.IfRunning; !want.IsZero() && want != now {
		return w.refused(policy.NotRunning, fmt.Sprintf("%s runs, and the request is for hosts that run %s", now, want))
	}
	return nil
}

// answered is an ending without a change.
func (w *work) answered(a manifests.Decision, v policy.Verdict) error {
	o := w.outcome(string(a.Kind))
	o.Until = v.Until
	o.Success, o.Code, o.Lines, o.Hints = a.Success, a.Code, a.Lines, a.Hints
	o.Detail = a.Detail
	for _, n := range w.u.Notes {
		o.Detail += "\n" + n
	}
	if !a.Success {
		o.Fault, o.Reason = fault.Refused, a.Lines[len(a.Lines)-1]
		o.Lines = append(o.Lines, w.failedLines()...)
	}
	return &ending{o}
}
