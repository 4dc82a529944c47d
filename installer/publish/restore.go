package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// restore makes the copies below latest/ those of the version that VERSION names: this publication, or one that broke off, may
// have begun to write its own and was overtaken by a newer one. They come from the packages that are there, whose bytes never
// change. A copy whose hash the place does not know stays.
func (p *publication) restore(ctx context.Context, at target.Target, v manifests.Version) error {
	m, _, err := readManifest(ctx, p.to)
	if err != nil || m == nil || v.IsZero() {
		return err
	}
	wrote := false
	for _, pkg := range m.Packages {
		for _, f := range pkg.Files {
			e := listed(m, dist.File{Package: pkg.Name, Name: f.Name}, v)
			format, platform, ok := pack.Of(f.Name)
			if e.Version == "" || !ok {
				continue
			}
			from, copies := format.Keys(v, platform)
			for _, key := range copies {
				changed, err := p.rewriteCopy(ctx, at, from[0], key, e.Checksum)
				if err != nil {
					return err
				}
				wrote = wrote || changed
			}
		}
	}
	if !wrote || p.o.DryRun {
		return nil
	}
	now, err := readLatest(ctx, at, v)
	if err == nil && now.before != v { // overtaken while it was repaired
		err = target.ErrChanged
	}
	return err
}

// rewriteCopy writes one copy anew, if it is not what it must be, and its signatures.
func (p *publication) rewriteCopy(ctx context.Context, at target.Target, from, key, sum string) (changed bool, err error) {
	have, err := at.Stat(ctx, key)
	if target.IsAbsent(err) || err == nil && (have.SHA256 == "" || strings.EqualFold(have.SHA256, sum)) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", key, err)
	}
	step := Step{Key: key, Action: Replaced, CopyOf: from, Global: at != p.to}
	if step.Size, err = p.copyThere(ctx, at, from, key, sum); errors.Is(err, target.ErrUncopied) {
		step.CopyOf = ""
		step.Size, err = p.copyThroughFile(ctx, at, from, key, sum)
	}
	if target.IsAbsent(err) { // the global bucket can be ahead of this region
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p.report(step, 0)
	for _, end := range dist.Signatures {
		sig, _, err := target.ReadLimited(ctx, p.to, from+end, maxSmall)
		if target.IsAbsent(err) {
			continue
		}
		if err != nil {
			return true, fmt.Errorf("%s: %w", from+end, err)
		}
		if err := p.writeSmall(ctx, at, key+end, sig, target.When{}); err != nil {
			return true, err
		}
	}
	return true, nil
}

// copyThere has the place itself copy an object whose hash is known.
func (p *publication) copyThere(ctx context.Context, at target.Target, from, key, sum string) (size int64, err error) {
	o, err := p.to.Stat(ctx, from)
	if err != nil || p.o.DryRun {
		return o.Size, err
	}
	return o.Size, overtaken(at.Copy(ctx, p.to, from, key, sum, target.When{}))
}

// copyThroughFile copies an object whose hash is known, by way of a file.
func (p *publication) copyThroughFile(ctx context.Context, at target.Target, from, key, sum string) (size int64, err error) {
	body, _, err := p.to.Read(ctx, from)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", from, err)
	}
	defer body.Close()
	f, err := os.CreateTemp(p.o.Scratch, "ssm-setup-publish-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if size, err = io.Copy(f, body); err != nil {
		return 0, fmt.Errorf("%s: %w", from, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil || p.o.DryRun {
		return size, err
	}
	if err := at.Write(ctx, key, f, sum, target.When{}); errors.Is(err, target.ErrBody) {
		return 0, fmt.Errorf("%w: %s: %w", target.ErrChanged, from, err)
	} else if err != nil {
		return 0, fmt.Errorf("%s: %w", key, err)
	}
	if err := target.Compare(ctx, at, key, sum); errors.Is(err, target.ErrDiffers) {
		return 0, fmt.Errorf("%w: %w", target.ErrChanged, err)
	} else if err != nil {
		return 0, err
	}
	return size, nil
}
