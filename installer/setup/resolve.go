package setup

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// resolve decides what to install and how. What is installed stays unless another version is asked for.
func (r *run) resolve() (err error) {
	if id, region, _ := r.Ports.Registered(r.Layout); id != "" && region != "" && region != r.Region && !r.Override {
		return fmt.Errorf("%w: %s in %s", ErrOtherRegion, id, region)
	}
	if r.way, err = PackagingOf(r.Layout); err != nil {
		return err
	}
	if r.current, err = PackageVersion(r.Layout); err != nil && (!r.TakeOver || !errors.Is(err, ErrOriginal)) {
		return err
	}
	if r.Base == "" {
		if r.Base, err = r.Source.Base(r.Region, r.bucketsAt()); err != nil {
			return err
		}
	}
	r.source = r.Base + "/" + regions.ManifestKey
	r.client = bucket.New(bucket.Options{Base: r.Base, Retries: 2, Signed: r.signed})
	r.result = Result{Agent: "ours", Format: r.way.Name, Region: r.Region, Source: r.source, Root: r.Root,
		PackageSource: fault.Redact(r.Source.String())}
	if dir, ok := regions.FolderOf(r.Base); ok {
		r.result.Source = dir
	}
	if r.Version == "" && !r.current.IsZero() && !r.unfinished() {
		r.offer.Version = r.current
	} else if r.offer, err = r.readOffer(); err != nil {
		return err
	}
	if r.result.Trust, err = r.believed(); err != nil {
		return err
	}
	r.result.Version = r.offer.Version.String()
	if !r.offer.Newer.IsZero() {
		r.result.Newer = r.offer.Newer.String()
		r.Ports.Step("warning: %s", manifests.OlderText(r.offer.Newer, r.offer.Version))
	}
	if !r.System() && !r.current.IsZero() && r.current != r.offer.Version {
		return fmt.Errorf("%w %s and keeps it as its package version", ErrOtherVersion, r.current)
	}
	if r.Permit != nil && !r.current.IsZero() && r.current != r.offer.Version {
		return r.Permit(r.offer.Version)
	}
	return nil
}

// needed tells whether the package has to be put in.
func (r *run) needed() bool { return r.current != r.offer.Version || r.unfinished() }

// unfinished tells whether an interrupted installation left a package that its manager does not call installed.
func (r *run) unfinished() bool {
	return r.goingOn && r.way.Name != archive.Name && !r.way.installed()
}

// NoOffer says why a region has nothing to install.
type NoOffer struct{ Answer manifests.Decision }

func (e *NoOffer) Error() string { return e.Answer.Detail }

// Offer is what a region has for this machine.
type Offer struct {
	Version manifests.Version
	File    string // name in the manifest
	SHA256  manifests.Sum
	Size    int64 // bytes; 0: the manifest does not say

	// Newer is a newer active version that the region has for other systems, but not for this one; zero: there is none.
	Newer manifests.Version
}

func (r *run) readOffer() (Offer, error) {
	want := r.Version
	if want == "" && !r.current.IsZero() {
		want = r.current.String()
	}
	return ReadOffer(r.ctx, r.client, r.way.File(runtime.GOARCH), manifests.Question{Package: manifests.AgentPackage, Region: r.Region,
		Running: r.current, Requested: want, AllowDowngrade: r.AllowDowngrade})
}

// ReadOffer finds what to install of a package: the version that the question asks for, or the newest active one. Of the question
// it needs package, region, running and requested version, and whether older ones will do. [NoOffer] says why there is none.
func ReadOffer(ctx context.Context, client *bucket.Client, file string, q manifests.Question) (Offer, error) {
	m, err := client.Manifest(ctx)
	if err != nil {
		return Offer{}, err
	}
	listing, err := m.Listing(q.Package, file)
	if err != nil {
		return Offer{}, fmt.Errorf("region %s: %w", q.Region, err)
	}
	q.Newest, q.Status = listing.LatestActive(), listing.Statuses()
	if q.Anywhere, err = m.Statuses(q.Package); err != nil {
		return Offer{}, err
	}
	if strings.EqualFold(strings.TrimSpace(q.Requested), "stable") {
		if q.Stable, err = client.Stable(ctx); err != nil {
			return Offer{}, err
		}
	}
	answer := manifests.Decide(q)
	if !answer.Changes() && answer.Kind != manifests.UpToDate {
		return Offer{}, &NoOffer{answer}
	}
	entry, _ := listing.Find(answer.Target)
	sum, err := entry.Sum()
	return Offer{Version: answer.Target, File: file, SHA256: sum, Size: entry.Size, Newer: answer.Newer}, err
}
