package takeover

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests"
)

const (
	agentPackage = manifests.AgentPackage
	manifestName = "ssm-agent-manifest.json"
	latest       = "latest"
	none         = "None"
)

// Named versions (docs/protocol/update.md, "Version rules").
const (
	lastTalkingPlugin = "3.0.882.0" // up to here the plugin wrote the first line itself
	firstOverSSM      = "3.1.821.0" // lowest that answers a command of ssmmessages
	firstKernel32     = "3.1.0.0"
	pipelineTest      = "255.0.0.0"
)

// Question is what a decision rests on.
type Question struct {
	Order        Order
	Listing      manifests.Listing // of this platform's archive
	Manifest     string            // its address
	Stable       func(ctx context.Context) (manifests.Version, error)
	Lowest       string // version that the platform takes; empty: any
	Kernel       string // uname -r; empty: no Linux
	Bottlerocket bool
	SourceKept   bool // the source's package need not be listed: it can be had elsewhere
}

// Answer is a decision.
type Answer struct {
	Target    string
	Changes   bool
	Downgrade bool
	Success   bool // of one that changes nothing
	Code      string
	Lines     []string // the original's texts, in order
	Message   string   // of a failure
}

func (a Answer) failed(code, format string, args ...any) Answer {
	a.Code, a.Message = code, fmt.Sprintf(format, args...)
	return a
}

func (a Answer) skipped(code, format string, args ...any) Answer {
	a.Success, a.Code = true, code
	a.Lines = append(a.Lines, fmt.Sprintf(format, args...))
	return a
}

// Decide makes the checks of docs/protocol/update.md, "Target resolution and validation (updater)", rows 3 to 16, in their order.
func Decide(ctx context.Context, q Question) Answer {
	o, a := q.Order, Answer{Target: q.Order.Target}
	if o.SelfUpdate {
		if done, stop := q.selfUpdate(); stop {
			return done
		}
	}
	a, stop := q.resolve(ctx, a)
	if stop {
		return a
	}
	if !versionPattern.MatchString(a.Target) {
		return a.failed(manifests.CodeInvalidTarget, "Invalid target version: %s", a.Target)
	}
	if c, err := compare(o.Source, lastTalkingPlugin); err == nil && c > 0 {
		a.Lines = append(a.Lines, fmt.Sprintf("Updating %v from %v to %v", o.Package, o.Source, a.Target))
	}
	order, err := compare(o.Source, a.Target)
	switch {
	case err != nil:
		return a.failed("ErrorVersionCompare", "Failed to compare versions %s and %s: %v", o.Source, a.Target, err)
	case order == 0:
		a.Lines = append(a.Lines, fmt.Sprintf("%v %v has already been installed", o.Package, a.Target))
		return a.skipped("", "update skipped")
	case order > 0 && o.NoDowngrade:
		return a.failed(manifests.CodeDowngrade, "Updating %v to an older version %v, please enable allow downgrade to proceed",
			o.Source, a.Target)
	}
	a.Downgrade = order > 0
	return q.allowed(a)
}

// selfUpdate is row 3: the original's own schedule leaves a version only when that is deprecated.
func (q Question) selfUpdate() (Answer, bool) {
	v, err := manifests.ParseVersion(q.Order.Source)
	status := ""
	if err == nil {
		status, err = q.Listing.Status(v)
	}
	if err != nil {
		return Answer{}.failed("ErrorVersionNotFoundInManifest", "%v", err), true
	}
	return Answer{Success: true}, status != manifests.Deprecated
}

// resolve is rows 4 and 5: what latest, None and stable mean.
func (q Question) resolve(ctx context.Context, a Answer) (Answer, bool) {
	switch text := a.Target; {
	case text == none, text == latest:
		v := q.Listing.LatestActive()
		if v.IsZero() {
			return a.failed(manifests.CodeNoLatest,
				"Failed to get latest active version from manifest: cannot find the latest version for package %v",
				q.Order.Package), true
		}
		a.Target = v.String()
	case strings.EqualFold(text, "stable"):
		if !strings.HasSuffix(q.Manifest, "/"+manifestName) {
			return a.failed(manifests.CodeNoStable,
				"Failed to generate stable version from manifest url: unexpected manifest url does not end with manifest file: %s",
				q.Manifest), true
		}
		v, err := q.Stable(ctx)
		if err != nil {
			return a.failed(manifests.CodeNoStable, "Failed to get stable version form s3: %v", err), true
		}
		a.Target = v.String()
	}
	return a, false
}

// allowed is rows 11 to 16.
func (q Question) allowed(a Answer) Answer {
	o := q.Order
	switch {
	case !q.SourceKept && !q.listed(o.Source):
		return a.failed("ErrorInvalidSourceVersion", "%v source version %v is unsupported on current platform", o.Package, o.Source)
	case !q.listed(a.Target):
		return a.failed(manifests.CodeInvalidTarget, "%v target version %v is unsupported on current platform", o.Package, a.Target)
	case q.Lowest != "" && below(a.Target, q.Lowest):
		return a.failed("ErrorUnsupportedVersion", "agent version %v is unsupported on current platform", a.Target)
	case !q.active(a.Target):
		return a.skipped(manifests.CodeInactive, "%v version %v is deprecated/inactive, update skipped", o.Package, a.Target)
	case o.Upstream == laneSSM && below(a.Target, firstOverSSM):
		return a.failed("ErrorIncompatibleTargetVersion",
			"before downgrading to %s, first downgrade to any version from 3.1.821.0 to 3.2.923.0",
			a.Target)
	}
	if err := q.precondition(a.Target); err != nil {
		return a.failed(manifests.CodePrecondition, "Failed update precondition check: %s", err)
	}
	a.Changes = true
	return a
}

func (q Question) listed(text string) bool {
	if text == pipelineTest {
		return len(q.Listing.Versions()) > 0
	}
	v, err := manifests.ParseVersion(text)
	if err != nil || v.String() != text { // as text: 9.1 is not 9.1.0.0
		return false
	}
	_, ok := q.Listing.Find(v)
	return ok
}

func (q Question) active(text string) bool {
	if text == pipelineTest {
		return true
	}
	v, err := manifests.ParseVersion(text)
	if err != nil {
		return false
	}
	status, err := q.Listing.Status(v)
	return err == nil && status == manifests.Active
}

// precondition is row 16.
func (q Question) precondition(target string) error {
	if q.Bottlerocket {
		return errors.New("Failed Bottlerocket precondition: Bottlerocket has an immutable root filesystem") //nolint:staticcheck // original's
	}
	if q.Kernel == "" || below(target, firstKernel32) {
		return nil
	}
	numbers := strings.Split(q.Kernel, ".")
	if len(numbers) < 3 {
		return fmt.Errorf("Unexpected kernel version format: %s", q.Kernel) //nolint:staticcheck // the original's words
	}
	if below(numbers[0]+"."+numbers[1], "3.2") {
		return fmt.Errorf("%s: Minimum kernel version is 3.2 but instance kernel version is %s", "Failed kernel version precondition",
			q.Kernel)
	}
	return nil
}
