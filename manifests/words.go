package manifests

import "fmt"

// The two sentences AWS documents; people search for them, so every such answer carries them as a hint.
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

// say puts an answer into words: the original's v3 strings as lines, ours as detail and hints.
func (q Question) say(kind Kind, target Version) Answer {
	a := Answer{Kind: kind, Running: q.Running, Target: target, Success: true,
		FromFloor: target.set && target == q.Floor}
	if words, ok := phrases[kind]; ok {
		words(q, &a)
	}
	return a
}

// phrases has one row per kind.
var phrases = map[Kind]func(Question, *Answer){
	UpToDate:            sayUpToDate,
	Ahead:               sayAhead,
	Upgrade:             sayUpgrade,
	DowngradeAllowed:    sayUpgrade,
	DowngradeRefused:    sayRefused,
	UnsupportedPlatform: sayUnsupported,
	StatusSkipped:       sayStatusSkipped,
	Held:                sayHeld,
	UnknownVersion:      sayUnknown,
	Elsewhere:           sayElsewhere,
	NoVersion:           sayNoVersion,
}

func (a *Answer) line(format string, args ...any) {
	a.Lines = append(a.Lines, fmt.Sprintf(format, args...))
}

func (a *Answer) fail(code string) { a.Success, a.Code = false, code }

// updating is the line that heads every answer with a target.
func (q Question) updating(a *Answer) {
	a.line("Updating %s from %s to %s", q.Package, q.Running, a.Target)
}

func sayUpToDate(q Question, a *Answer) {
	q.updating(a)
	a.line("%s %s has already been installed", q.Package, a.Target)
	a.line("update skipped")
	a.Detail = fmt.Sprintf("%s is what region %s offers: up to date", q.Running, q.Region)
}

func sayUpgrade(q Question, a *Answer) {
	q.updating(a)
	verb := "upgrade"
	if a.Kind == DowngradeAllowed {
		verb = "downgrade (allowed)"
	}
	a.Detail = fmt.Sprintf("%s from %s to %s in region %s", verb, q.Running, a.Target, q.Region)
}

func (q Question) olderLine(a *Answer) {
	q.updating(a)
	a.line("Updating %s to an older version %s, please enable allow downgrade to proceed", q.Running, a.Target)
	a.fail(CodeDowngrade)
	a.Hints = append(a.Hints, HintDowngrade)
}

func sayAhead(q Question, a *Answer) {
	q.olderLine(a)
	a.Detail = fmt.Sprintf("this host runs %s and is ahead of region %s, which offers %s; releases reach regions at different times: "+
		"wait for the region, or allow the downgrade", q.Running, q.Region, a.Target)
}

func sayRefused(q Question, a *Answer) {
	q.olderLine(a)
	a.Detail = fmt.Sprintf("%s is older than the running %s and downgrade is not allowed: run again with --allow-downgrade "+
		"(document parameter allowDowngrade=true)", a.Target, q.Running)
}

func sayUnsupported(q Question, a *Answer) {
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

func sayStatusSkipped(q Question, a *Answer) {
	q.updating(a)
	a.line("%s version %s is deprecated/inactive, update skipped", q.Package, a.Target)
	a.Code = CodeInactive
	a.Detail = fmt.Sprintf("region %s marks %s as %s; it stays at %s, newest active is %s", q.Region, a.Target,
		orUnknown(q.Status[a.Target]), q.Running, orNone(q.Newest))
}

func sayHeld(q Question, a *Answer) {
	q.updating(a)
	a.line("update skipped")
	a.Detail = fmt.Sprintf("%s is held back on this host: %s; name the version to try it all the same", a.Target, q.Skip[a.Target])
}

func sayUnknown(q Question, a *Answer) {
	a.line("Invalid target version: %s", q.Requested)
	a.fail(CodeInvalidTarget)
	a.Detail = fmt.Sprintf("%s names no version region %s has; "+
		"give four parts such as 9.1.0.0, latest, stable, or a constraint such as '>=9.1'",
		excerpt(q.Requested), q.Region)
}

func sayElsewhere(q Question, a *Answer) {
	a.line("%s is not managed from there, nothing changed", q.Package)
	a.line("update skipped")
	a.Detail = fmt.Sprintf("this agent (%s) takes its updates from another source; set Agent.UpdateSource to name it", q.Running)
}

func sayNoVersion(q Question, a *Answer) {
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
