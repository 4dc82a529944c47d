package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/publish/atom"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// FeedKey is the Atom feed of a region's releases.
const FeedKey = atom.Key

// feed adds this release to the region's feed.
func (p *publication) feed(ctx context.Context) error {
	notes, err := os.ReadFile(filepath.Join(p.r.Dir, dist.NotesFile))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return p.changeFeed(ctx, p.merge, func(base string, f *atom.Feed) {
		f.Add(base, p.r.Version, string(notes), p.o.Now())
	})
}

// changeFeed reads the feed, changes it and writes it over the one that was read. Releases that the manifest calls inactive
// leave it. The manifest is read after the feed: so it knows every release that another publication put in. own makes it what this
// run made of it, for a dry run.
func (p *writing) changeFeed(ctx context.Context, own func(*manifests.Manifest), change func(base string, f *atom.Feed)) error {
	return target.Retry(ctx, func() error {
		old, tag, err := target.ReadLimited(ctx, p.to, FeedKey, maxSmall)
		when := target.When{Tag: tag}
		if errors.Is(err, target.ErrAbsent) {
			when, err = target.When{Absent: true}, nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", FeedKey, err)
		}
		m, _, err := readManifest(ctx, p.to)
		if err != nil {
			return err
		}
		if m == nil {
			m = manifests.NewManifest(p.o.UriFormat)
		}
		own(m)
		base := baseOf(m, p.o.Region)
		f := atom.Read(old, base, p.o.Region)
		change(base, &f)
		f.Drop(func(v manifests.Version) bool { return inactive(m, v) })
		if len(f.Entries) == 0 && when.Absent {
			return nil
		}
		text, err := f.Bytes()
		if err != nil {
			return err
		}
		return p.writeSmall(ctx, p.to, FeedKey, text, when)
	})
}

// baseOf is the bucket's address, from the manifest's template.
func baseOf(m *manifests.Manifest, region string) string {
	base, _, _ := strings.Cut(m.UriFormat, "/{PackageName}")
	return strings.ReplaceAll(base, "{Region}", region)
}

// inactive tells whether a manifest lists a version only as inactive, or not at all.
func inactive(m *manifests.Manifest, v manifests.Version) bool {
	for _, p := range m.Packages {
		for _, f := range p.Files {
			for _, e := range f.AvailableVersions {
				if e.Version == v.String() && manifests.StatusOf(e) != manifests.Inactive {
					return false
				}
			}
		}
	}
	return true
}
