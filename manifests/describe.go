package manifests

import "fmt"

// The two sentences AWS documents; people search for them, so every such decision carries them as a hint.
const (
	HintDowngrade   = "updating amazon-ssm-agent to an older version, please turn on allow downgrade to proceed"
	HintUnsupported = "Unsupported on current platform"
)

// Error codes of the original that a decision can end in (docs/protocol/update.md, "Error codes").
const (
	CodeDowngrade     = "ErrorAttempToDowngrade" // spelled so
	CodeInvalidTarget = "ErrorInvalidTargetVersion"
	CodePrecondition  = "ErrorFailedPrecondition"
	CodeInactive      = "InactiveAgentVersion"
	CodeNoLatest      = "ErrorGetLatestActiveVersionManifest"
	CodeNoStable      = "ErrorGetStableVersionS3"
)

// describe puts a decision into words: the original's v3 strings as lines, ours as detail and hints.
func (q Question) describe(kind Kind, target Version) Decision {
	a := Decision{Kind: kind, Running: q.Running, Target: target, Success: true,
		FromFloor: target.set && target == q.Floor}
	if !q.NotManaged {
		a.Newer = q.newer(target)
	}
	if words, ok := descriptions[kind]; ok {
		words(q, &a)
	}
	return a
}

// descriptions has one row per kind.
var descriptions = map[Kind]func(Question, *Decision){
	UpToDate:            describeUpToDate,
	Ahead:               describeAhead,
	Behind:              describeBehind,
	Upgrade:             describeUpgrade,
	DowngradeAllowed:    describeUpgrade,
	DowngradeRefused:    describeRefused,
	UnsupportedPlatform: describeUnsupported,
	StatusSkipped:       describeStatusSkipped,
	Blocked:             describeBlocked,
	UnknownVersion:      describeUnknown,
	Elsewhere:           describeElsewhere,
	NoVersion:           describeNoVersion,
}

func (a *Decision) line(format string, args ...any) {
	a.Lines = append(a.Lines, fmt.Sprintf(format, args...))
}

func (a *Decision) fail(code string) { a.Success, a.Code = false, code }

// updating is the line that heads every decision with a target.
func (q Question) updating(a *Decision) {
	a.line("Updating %s from %s to %s", q.Package, q.Running, a.Target)
}

func describeUpToDate(q Question, a *Decision) {
	q.updating(a)
	a.line("%s %s has already been installed", q.Package, a.Target)
	a.line("update skipped")
	a.Detail = fmt.Sprintf("%s is what region %s offers: up to date", q.Running, q.Region)
}

func describeUpgrade(q Question, a *Decision) {
	q.updating(a)
	verb := "upgrade"
	if a.Kind == DowngradeAllowed {
		verb = "downgrade (allowed)"
	}
	a.Detail = fmt.Sprintf("%s from %s to %s in region %s", verb, q.Running, a.Target, q.Region)
}

func (q Question) olderLine(a *Decision) {
	q.updating(a)
	a.line("Updating %s to an older version %s, please enable allow downgrade to proceed", q.Running, a.Target)
	a.fail(CodeDowngrade)
	a.Hints = append(a.Hints, HintDowngrade)
}

// describeAhead: that regions get releases at different times is a state, and no failure of a host. The words and the code are the
// original's, which calls it one.
func describeAhead(q Question, a *Decision) {
	q.olderLine(a)
	a.line("update skipped")
	a.Success = true
	a.Detail = fmt.Sprintf("this host runs %s and is ahead of region %s, which offers %s; releases reach regions at different times: "+
		"wait for the region, or allow the downgrade", q.Running, q.Region, a.Target)
}

func describeRefused(q Question, a *Decision) {
	q.olderLine(a)
	a.Detail = fmt.Sprintf("%s is older than the running %s and downgrade is not allowed: run again with --allow-downgrade "+
		"(document parameter allowDowngrade=true)", a.Target, q.Running)
}

// describeBehind: a version that is newer than all of a region may have reached other regions. That is a state as [Ahead] is.
func describeBehind(q Question, a *Decision) {
	q.updating(a)
	a.line("%s target version %s is unsupported on current platform", q.Package, a.Target)
	a.line("update skipped")
	a.Code = CodeInvalidTarget
	a.Hints = append(a.Hints, HintUnsupported)
	a.Detail = fmt.Sprintf("region %s does not list %s yet; its newest is %s, so it may be behind another region, which ssm-setup regions shows",
		q.Region, a.Target, q.Newest)
	if q.Running.set {
		a.Detail += "; it stays at " + q.Running.String()
	}
}

func describeUnsupported(q Question, a *Decision) {
	a.Hints = append(a.Hints, HintUnsupported)
	switch {
	case q.Precondition != "":
		q.updating(a)
		a.line("Failed update precondition check: %s", q.Precondition)
		a.fail(CodePrecondition)
		a.Detail = "this system cannot run " + a.Target.String() + ": " + q.Precondition
	case !a.Target.set:
		a.line("Failed to get latest active version from manifest: cannot find the latest version for package %s", q.Package)
		a.fail(CodeNoLatest)
		a.Detail = fmt.Sprintf("region %s has no package for this platform; it stays at %s", q.Region, q.Running)
	default:
		q.updating(a)
		a.line("%s target version %s is unsupported on current platform", q.Package, a.Target)
		a.fail(CodeInvalidTarget)
		a.Detail = fmt.Sprintf("region %s does not list %s for this platform; the newest it has is %s", q.Region, a.Target,
			orNone(q.Newest))
	}
}

func describeStatusSkipped(q Question, a *Decision) {
	q.updating(a)
	a.line("%s version %s is deprecated/inactive, update skipped", q.Package, a.Target)
	a.Code = CodeInactive
	a.Detail = fmt.Sprintf("region %s marks %s as %s; it stays at %s, newest active is %s", q.Region, a.Target,
		orUnknown(q.Status[a.Target]), q.Running, orNone(q.Newest))
}

func describeBlocked(q Question, a *Decision) {
	q.updating(a)
	a.line("update skipped")
	a.Detail = fmt.Sprintf("%s is blocked on this machine: %s; name the version to try it all the same", a.Target, q.Skip[a.Target])
}

func describeUnknown(q Question, a *Decision) {
	a.line("Invalid target version: %s", q.Requested)
	a.fail(CodeInvalidTarget)
	a.Detail = fmt.Sprintf("%s names no version region %s has; "+
		"give four parts such as 9.1.0.0, latest, stable, or a constraint such as '>=9.1'",
		excerpt(q.Requested), q.Region)
}

func describeElsewhere(q Question, a *Decision) {
	a.line("%s is not managed from there, nothing changed", q.Package)
	a.line("update skipped")
	a.Detail = fmt.Sprintf("this agent (%s) takes its updates from another source; set Agent.UpdateSource to name it", q.Running)
}

func describeNoVersion(q Question, a *Decision) {
	if a.fail(CodeNoLatest); q.Requested != "" && q.Requested != "None" && q.Requested != "latest" {
		a.line("Failed to get stable version form s3: there is none")
		a.Code = CodeNoStable
		a.Detail = fmt.Sprintf("region %s has no stable/VERSION; ask for latest or name a version", q.Region)
		return
	}
	a.line("Failed to get latest active version from manifest: cannot find the latest version for package %s", q.Package)
	a.Detail = fmt.Sprintf("region %s lists no active version for this platform; it stays at %s", q.Region, q.Running)
}

func orNone(v Version) string {
	if !v.set {
		return "none"
	}
	return v.String()
}

func orUnknown(s string) string {
	if s == "" {
		return "of unknown status"
	}
	return s
}
