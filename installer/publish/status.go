package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/publish/atom"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Promote makes a version the region's stable one: what the suites and folders called stable hold, then stable/VERSION. The
// region must list it as active, and serve every file it lists of it. ErrNotServed otherwise; then nothing was written.
func Promote(ctx context.Context, to target.Target, v manifests.Version, o Options) (Result, error) {
	p := newWriting(to, o)
	p.result.Version = v
	m, _, err := readManifest(ctx, to)
	if err != nil {
		return p.result, err
	}
	if m == nil {
		return p.result, fmt.Errorf("%w: %s has no manifest", ErrNotServed, to)
	}
	if err := p.served(ctx, m, v); err != nil {
		return p.result, err
	}
	if err := p.ready(ctx); err != nil {
		return p.result, err
	}
	if m, _, err = readManifest(ctx, to); err != nil || m == nil {
		return p.result, err
	}
	p.stable, p.result.Stable = v, v
	if err := p.repositories(ctx, m, nil); err != nil {
		return p.result, err
	}
	err = target.Retry(ctx, func() (err error) {
		var when target.When
		if p.result.Before, when, err = readStable(ctx, to); err != nil {
			return err
		}
		return p.writeSmall(ctx, to, regions.StableVersionKey, []byte(v.String()+"\n"), when)
	})
	if err == nil {
		err = p.sign(ctx, nil, func(s *signing.State) error { s.Stable = v; return nil })
	}
	if err != nil {
		return p.result, err
	}
	return p.result, p.settle()
}

// ready checks the keys of a change and what the bucket keeps of conditions, and puts back what is not as it was signed.
func (p *writing) ready(ctx context.Context) error {
	if err := errors.Join(checkStaysSigned(ctx, p.to, p.o), p.checkTrusted(ctx)); err != nil {
		return err
	}
	if err := p.probe(ctx); err != nil {
		return err
	}
	return p.heal(ctx)
}

// readStable reads which version a place calls its stable one; zero for none, and for a file that is damaged.
func readStable(ctx context.Context, at target.Target) (v manifests.Version, when target.When, err error) {
	text, tag, err := target.ReadLimited(ctx, at, regions.StableVersionKey, manifests.MaxVersionFile+1)
	if target.IsAbsent(err) {
		return v, target.When{Absent: true}, nil
	}
	if err != nil {
		return v, when, fmt.Errorf("%s: %w", regions.StableVersionKey, err)
	}
	v, _ = manifests.ParseVersionFile(text)
	return v, target.When{Tag: tag}, nil
}

// served checks that a version is active and that its files are there with the size they must have.
func (p *writing) served(ctx context.Context, m *manifests.Manifest, v manifests.Version) error {
	n := 0
	for _, pkg := range m.Packages {
		for _, f := range pkg.Files {
			e := listed(m, dist.File{Package: pkg.Name, Name: f.Name}, v)
			if e.Version == "" {
				continue
			}
			if s := manifests.StatusOf(e); s != manifests.Active {
				return fmt.Errorf("%w: the manifest calls %s of %s %s", ErrNotServed, f.Name, v, s)
			}
			key := pkg.Name + "/" + e.Version + "/" + f.Name
			o, err := p.to.Stat(ctx, key)
			if target.IsAbsent(err) || err == nil && (e.Size > 0 && o.Size != e.Size || o.SHA256 != "" && !strings.EqualFold(o.SHA256, e.Checksum)) {
				return fmt.Errorf("%w: %s is missing or damaged", ErrNotServed, key)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			n++
		}
	}
	if n == 0 {
		return fmt.Errorf("%w: the manifest in %s does not list %s", ErrNotServed, p.to, v)
	}
	return nil
}

// Mark sets a version's status in the manifest (Active, Deprecated, Inactive) and brings repositories and feed in line.
// Result.Latest tells whether the version is the one latest/VERSION names.
func Mark(ctx context.Context, to target.Target, v manifests.Version, status string, o Options) (Result, error) {
	p := newWriting(to, o)
	p.result.Version = v
	if err := p.ready(ctx); err != nil {
		return p.result, err
	}
	mark := func(m *manifests.Manifest) (n int) {
		for _, pkg := range m.Packages {
			n += m.SetStatus(pkg.Name, v, status)
		}
		return n
	}
	m, err := p.changeManifest(ctx, func(m *manifests.Manifest) error {
		if mark(m) == 0 {
			return fmt.Errorf("%w: the manifest in %s does not list %s", ErrNotServed, to, v)
		}
		return nil
	})
	if err != nil {
		return p.result, err
	}
	if err := p.repositories(ctx, m, nil); err != nil {
		return p.result, err
	}
	if err := p.changeFeed(ctx, func(m *manifests.Manifest) { mark(m) }, func(string, *atom.Feed) {}); err != nil {
		return p.result, err
	}
	err = p.sign(ctx, nil, func(s *signing.State) error {
		if mark(s.Manifest) == 0 {
			return fmt.Errorf("%w: what %s signed does not list %s", ErrNotServed, to, v)
		}
		return nil
	})
	if err != nil {
		return p.result, err
	}
	f, err := readLatest(ctx, to, v)
	p.result.Before, p.result.Latest = f.before, f.before == v
	if err != nil {
		return p.result, err
	}
	if err := p.settle(); err != nil {
		return p.result, err
	}
	p.result.Stable, _, err = readStable(ctx, to)
	return p.result, err
}

// Withdrawn says what a status that is not active does to hosts, one line each with a line end in front; nothing where nothing follows
// from the version.
func Withdrawn(res Result) (text string) {
	if res.Latest {
		text += "\nlatest/VERSION still names it: hosts that follow latest stay where they are; publish a newer version"
	}
	if res.Stable == res.Version {
		text += "\nstable/VERSION still names it: hosts that follow stable stay where they are, and apt and yum offer what is older as stable; " +
			"ssm-setup promote names another version"
	}
	return text
}
