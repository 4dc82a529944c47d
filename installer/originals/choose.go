package originals

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Kind is one of the two agents.
type Kind string

// The agents, by the words of --agent and of the member agent in --json.
const (
	Ours     Kind = "ours"
	Original Kind = "original"
)

// ParseKind reads a word of --agent; the empty text is no choice.
func ParseKind(text string) (Kind, error) {
	switch k := Kind(text); k {
	case "", Ours, Original:
		return k, nil
	}
	return "", fault.Wrap(fault.Usage, fmt.Errorf("--agent is %s or %s, not %q", Ours, Original, text), "")
}

// firstOurs is the lowest version of this project's agent; Amazon's are lower.
const firstOurs = 9

// lowestTest is the first part of versions that stand for tests and for "look into the version file"
// (docs/protocol/update.md, "Version rules").
const lowestTest = 255

// KindOf tells whose version a version is.
func KindOf(v manifests.Version) Kind {
	if major := v.Parts()[0]; major < firstOurs || major >= lowestTest {
		return Original
	}
	return Ours
}

// Why neither agent can be chosen.
var (
	// ErrNotOffered says that a source has nothing of the agent that was asked for.
	ErrNotOffered = fault.New(fault.Refused, "the source does not offer that agent for this system",
		"ssm-setup regions shows what each region serves")
	// ErrOther says that the other agent is installed.
	ErrOther = fault.New(fault.Refused, "the other agent is installed", "")
)

// Offered is what a source has for this system.
type Offered struct{ Ours, Original bool }

// Wish is what the caller wants, and what is there.
type Wish struct {
	Asked     Kind   // of --agent; empty: not said
	Installed Kind   // empty: neither
	Version   string // of --version
}

// Choose decides between the agents. What is installed stays, unless the other is asked for; where neither is, the version that is asked
// for decides, else what the source offers, and of both ours. offered is called only where it matters.
func Choose(w Wish, offered func() (Offered, error)) (Kind, error) {
	named, isNamed := w.named()
	switch {
	case w.Asked != "" && isNamed && named != w.Asked:
		return "", fault.Wrap(fault.Usage, fmt.Errorf("--agent %s and --version %s exclude each other", w.Asked, w.Version), "")
	case w.Asked == "" && w.Installed != "" && isNamed && named != w.Installed:
		return "", fault.Wrap(fault.Refused, fmt.Errorf("%w: version %s is not one of it", ErrOther, w.Version),
			fmt.Sprintf("--agent %s moves this machine to it", named))
	case w.Installed != "" && (w.Asked == "" || w.Asked == w.Installed):
		return w.Installed, nil
	}
	have, err := offered()
	if err != nil {
		return "", err
	}
	want := w.Asked
	if want == "" && isNamed {
		want = named
	}
	switch {
	case want == Ours && have.Ours, want == Original && have.Original:
		return want, nil
	case want != "":
		return "", fmt.Errorf("%w: %s", ErrNotOffered, want)
	case !have.Ours && have.Original:
		return Original, nil
	}
	return Ours, nil
}

// named is whose version --version names, where it names one.
func (w Wish) named() (Kind, bool) {
	v, err := manifests.ParseVersion(w.Version)
	if err != nil {
		return "", false
	}
	return KindOf(v), true
}

// Offers reads what a source has for this system.
func (a *Agent) Offers(ctx context.Context, client *bucket.Client) (Offered, error) {
	m, err := client.Manifest(ctx)
	if err != nil {
		return Offered{}, err
	}
	var o Offered
	if l, err := m.Listing(manifests.AgentPackage, a.System.OursFile); err == nil {
		o.Ours = len(l.ActiveVersions()) > 0
	}
	if p, err := a.packing(); err == nil {
		_, statuses, err := p.listed(m, a.System.Arch)
		o.Original = err == nil && len(statuses) > 0
	}
	return o, nil
}

// Offer is a version of the original that a source has.
type Offer struct {
	Version manifests.Version
	File    string // name of the archive
	SHA256  manifests.Sum
	Size    int64 // bytes; 0: the manifest does not say
}

// offer finds the version that is asked for, or the newest active one.
func (a *Agent) offer(ctx context.Context, client *bucket.Client, q manifests.Question) (Offer, manifests.Decision, error) {
	p, err := a.packing()
	if err != nil {
		return Offer{}, manifests.Decision{}, err
	}
	m, err := client.Manifest(ctx)
	if err != nil {
		return Offer{}, manifests.Decision{}, err
	}
	listing, statuses, err := p.listed(m, a.System.Arch)
	if err != nil {
		return Offer{}, manifests.Decision{}, fmt.Errorf("region %s: %w", q.Region, err)
	}
	q.Package, q.Status, q.Newest = manifests.AgentPackage, statuses, newest(statuses)
	if listing.LatestActive().Parts()[0] >= lowestTest { // the manifest leaves it to the version file
		if q.Newest, err = client.Latest(ctx); err != nil {
			return Offer{}, manifests.Decision{}, err
		}
	}
	if strings.EqualFold(strings.TrimSpace(q.Requested), "stable") {
		if q.Stable, err = stable(ctx, client); err != nil {
			return Offer{}, manifests.Decision{}, err
		}
	}
	q.Precondition = precondition(a.System.Facts)
	if q.Anywhere, err = m.Statuses(manifests.AgentPackage); err != nil {
		return Offer{}, manifests.Decision{}, err
	}
	maps.DeleteFunc(q.Anywhere, func(v manifests.Version, _ string) bool { return KindOf(v) != Original })
	answer := manifests.Decide(q)
	if text := answer.OlderText(); text != "" {
		a.Ports.Step("warning: %s", text)
	}
	if !answer.Changes() {
		return Offer{}, answer, nil
	}
	o, err := entry(listing, p.archive(a.System.Arch), answer.Target)
	return o, answer, err
}

// entry is the offer of one version.
func entry(l manifests.Listing, file string, v manifests.Version) (Offer, error) {
	e, ok := l.Find(v)
	if !ok {
		return Offer{}, fmt.Errorf("%w: version %s", manifests.ErrNotListed, v)
	}
	sum, err := e.Sum()
	return Offer{Version: v, File: file, SHA256: sum, Size: e.Size}, err
}

// stable is the content of stable/VERSION; none, where that names one of ours or is not there.
func stable(ctx context.Context, client *bucket.Client) (manifests.Version, error) {
	v, err := client.Stable(ctx)
	if errors.Is(err, bucket.ErrMissing) || err == nil && KindOf(v) != Original {
		return manifests.Version{}, nil
	}
	return v, err
}

// newest is the highest active version.
func newest(statuses map[manifests.Version]string) (best manifests.Version) {
	for v, s := range statuses {
		if s == manifests.Active && best.Less(v) {
			best = v
		}
	}
	return best
}
