package machine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// reported is the object of an update of our agent.
type reported struct {
	ledger.Outcome
	Agent originals.Kind `json:"agent"`
}

// report says how an update ended, and with which exit code.
func report(out *terminal.Printer, l installer.Layout, o ledger.Outcome, verb string) error {
	text := outcomeText(o)
	if !strings.Contains(text, o.Newer.String()) {
		warnOlder(out, o.Newer, o.ToVersion)
	}
	if o.Success && !notThere(o.Kind) {
		hints := append(slices.Clone(o.Hints), policyHints(o.Kind)...)
		out.Result(reported{o, originals.Ours}, "%s", strings.Join(append([]string{text}, hints...), "\nhint: "))
		return nil
	}
	out.Result(reported{o, originals.Ours}, "")
	p := terminal.Cannot(verb, "the agent on "+where(l), errors.New(text)).WithKind(kindOf(o.Kind, o.Fault))
	p.Name = o.Code
	o.Hints = append(o.Hints, policyHints(o.Kind)...)
	if o.Kind == ledger.RolledBack && o.Fault != fault.Superseded {
		o.Hints = append(o.Hints, blockedHint(l, o.ToVersion))
	}
	if o.Kind == ledger.NoPrevious {
		o.Hints = append(o.Hints, "ssm-setup update --version V --allow-downgrade gets an older one")
	}
	return p.WithHint(strings.Join(o.Hints, "\n"))
}

// warnOlder says that an older version was chosen, since the newest has no package for this system.
func warnOlder(out *terminal.Printer, newer, chosen manifests.Version) {
	if text := manifests.OlderText(newer, chosen); text != "" {
		out.Warn("%s", text)
	}
}

// blockedHint says what becomes of a version that was not confirmed: one that is not to blame is not blocked.
func blockedHint(l installer.Layout, v manifests.Version) string {
	if led, err := ledger.Read(l); err == nil && !slices.ContainsFunc(led.Skip, func(b ledger.Blocked) bool { return b.Version == v }) {
		return fmt.Sprintf("%s may not be to blame and is not blocked: the next update tries it anew", v)
	}
	return fmt.Sprintf("%s is blocked on this machine for a while; ssm-setup update --version %[1]s tries it all the same", v)
}

// outcomeText is an update's end in one sentence. The updater's own texts are for the document's output, where other tools look for
// the original's sentences.
func outcomeText(o ledger.Outcome) string {
	step := o.FromVersion.String()
	if !o.ToVersion.IsZero() {
		step += " → " + o.ToVersion.String()
	}
	switch o.Kind {
	case ledger.Updated:
		text := fmt.Sprintf("updated %s; %s is kept as the fallback version", step, o.FromVersion)
		if r, ok := policy.ReasonFor(o.Overrode); ok {
			text += "; overridden: " + r.Means
		}
		return text
	case ledger.WentBack:
		return fmt.Sprintf("rolled back %s; scheduled updates leave %s out for a while", step, o.FromVersion)
	case ledger.RolledBack:
		if o.Fault == fault.Superseded {
			return fmt.Sprintf("update %s stopped for a newer request, %s kept", step, o.FromVersion)
		}
		return fmt.Sprintf("update %s failed, %s kept: %s", step, o.FromVersion, plainReason(o.Reason))
	case ledger.FailedKind:
		return fmt.Sprintf("update %s failed, nothing was changed: %s", step, plainReason(o.Reason))
	case ledger.Postponed:
		return fmt.Sprintf("update %s postponed: the service cannot be reached from here", step)
	case ledger.NoPrevious:
		return fmt.Sprintf("%s is all this machine has: there is no fallback version", o.FromVersion)
	}
	return decisionText(o.Kind, o.ToVersion, o.Detail)
}

// decisionText is why nothing was to be changed: the detail of a decision, but for a blocked version, whose reason has the original's
// words in it.
func decisionText(kind string, target manifests.Version, detail string) string {
	if kind == string(manifests.Blocked) {
		return fmt.Sprintf("%s is blocked on this machine because it failed here; --version %[1]s tries it all the same", target)
	}
	return detail
}

// plainReason is the cause in a reason that is written for the original's readers.
func plainReason(reason string) string {
	if _, cause, ok := strings.Cut(reason, "ErrorMessage="); ok {
		reason = cause
	}
	if _, how, ok := strings.Cut(reason, "(its process ended: "); ok {
		reason = strings.TrimSuffix(how, ")")
	}
	return strings.TrimSpace(reason)
}

// notThere tells of a version that was named and that the region does not have yet. To the service that is a state of the region; a
// person who named it did not get it.
func notThere(kind string) bool { return kind == string(manifests.Behind) }

// policyHints are the next steps where the host's policy is in the way.
func policyHints(kind string) []string {
	const all = "ssm-setup update --override does it all the same, and that is written down"
	switch kind {
	case policy.OnHold:
		return []string{"ssm-setup unhold ends the hold; " + all}
	case policy.OutsideVersions, policy.CoolingDown, policy.OutsideWindow, policy.Unreadable:
		return []string{"ssm-setup policy shows and changes it; " + all}
	}
	return nil
}

// kindOf is the kind of an updater's failure.
func kindOf(kind string, word fault.Kind) fault.Kind {
	if notThere(kind) {
		return fault.Refused
	}
	if kind == string(manifests.UnknownVersion) {
		return fault.Usage
	}
	return word
}
