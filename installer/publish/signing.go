package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Keys sign what hosts with a root of trust read (installer/signed).
type Keys struct {
	Roots []*signed.RootFile // all of them, in ascending order
	Ring  signed.Ring        // of the newest root, and where they are at hand those of the roots before
	Days  signed.Days
	Anew  bool // believe the plain files, though what is signed there cannot be verified
}

// Trusted is what a region signed in this run.
type Trusted struct {
	Root int64    `json:"root"` // the number of the root
	Keys []string `json:"wrote"`
}

// isSigned tells whether hosts with a root are served from a place.
func isSigned(ctx context.Context, at target.Target) (bool, error) {
	for _, key := range []string{signed.TimestampKey, signed.RootKey(1)} {
		_, err := at.Stat(ctx, key)
		if err == nil {
			return true, nil
		}
		if !target.IsAbsent(err) {
			return false, fmt.Errorf("%s: %w", key, err)
		}
	}
	return false, nil
}

// checkTrusted refuses to change what a region has signed without its keys, or with too few of them.
func (p *writing) checkTrusted(ctx context.Context) error {
	if p.o.mirrors {
		return nil
	}
	if p.o.Trust != nil {
		root := p.o.Trust.Roots[len(p.o.Trust.Roots)-1]
		for _, role := range []string{signed.Targets, signed.Snapshot, signed.Timestamp} {
			if _, err := p.o.Trust.Ring.For(root, role); err != nil {
				return err
			}
		}
	}
	there, err := isSigned(ctx, p.to)
	if err != nil || !there {
		return err
	}
	if p.o.Trust == nil {
		return fmt.Errorf("%w: %s", ErrTrusted, p.to)
	}
	if p.o.Replace {
		return fmt.Errorf("%w, and hosts refuse other bytes: %s", ErrPublished, p.to)
	}
	_, _, err = p.tree(ctx)
	return err
}

// heal puts back small files that were changed without the keys, or that a publication wrote which broke off before it signed.
func (p *writing) heal(ctx context.Context) error {
	if p.o.Trust == nil || p.o.DryRun {
		return nil
	}
	tree, _, err := p.tree(ctx)
	if err != nil || tree == nil {
		return err
	}
	s, err := p.verified(ctx, tree)
	if err != nil {
		return err
	}
	changed, err := p.align(ctx, s)
	if len(changed) > 0 && p.o.Warn != nil {
		p.o.Warn(strings.Join(changed, ", ") + ": not as it was signed (changed without the keys, or by a publication that broke off); put back")
	}
	return err
}

// tree is what the region has signed; nil for nothing. tag names the timestamp that was read.
func (p *writing) tree(ctx context.Context) (tree *signed.Tree, when target.When, err error) {
	when = target.When{Absent: true}
	from := signed.Reading{Absent: target.IsAbsent, Read: func(ctx context.Context, key string, limit int64) ([]byte, error) {
		b, tag, err := target.ReadLimited(ctx, p.to, key, limit)
		if key == signed.TimestampKey && err == nil {
			when = target.When{Tag: tag}
		}
		return b, err
	}}
	tree, err = signed.Read(ctx, p.o.Trust.Roots, from)
	if errors.Is(err, signed.ErrTree) && p.o.Trust.Anew {
		return nil, when, nil
	}
	if tree == nil && err == nil && !p.o.Trust.Anew { // a root comes after the first timestamp, so another hand took that away
		if was, fault := isSigned(ctx, p.to); was || fault != nil {
			err = errors.Join(fault, fmt.Errorf("%w: %s is missing", signed.ErrTree, signed.TimestampKey))
		}
	}
	return tree, when, err
}

// align writes the small files as a state has them, and tells which were not so.
func (p *writing) align(ctx context.Context, s *state) (changed []string, err error) {
	want := s.smalls()
	for _, key := range smallKeys {
		content, ok := want[key]
		if !ok {
			continue
		}
		have, tag, err := target.ReadLimited(ctx, p.to, key, maxSmall)
		when := target.When{Tag: tag}
		if target.IsAbsent(err) {
			when, err = target.When{Absent: true}, nil
		}
		if err != nil {
			return changed, fmt.Errorf("%s: %w", key, err)
		}
		if string(have) == string(content) {
			continue
		}
		if err := p.writeSmall(ctx, p.to, key, content, when); err != nil {
			return changed, err
		}
		changed = append(changed, key)
	}
	return changed, nil
}

// sign has the region sign what this run changed: change works on what was signed last, not on what the bucket's plain files say, and
// files are those that the run brought. What another publication signed meanwhile is read anew and changed again. The old timestamp
// names the old files, which stay, until the new one is written over it.
func (p *writing) sign(ctx context.Context, files map[string]signed.File, change func(*state) error) error {
	if p.o.Trust == nil || p.o.DryRun {
		return nil
	}
	skip := int64(0)
	var s *state
	err := retryChange(ctx, func() error {
		tree, when, err := p.tree(ctx)
		if err != nil {
			return err
		}
		if tree != nil {
			s, err = p.verified(ctx, tree)
		}
		if tree == nil || p.o.Trust.Anew && errors.Is(err, signed.ErrTree) {
			s, err = p.plain(ctx)
		}
		if tree == nil && err == nil {
			tree, err = p.newTree(ctx)
		}
		if err == nil {
			err = change(s)
		}
		if err != nil {
			return err
		}
		if p.o.Trust.Anew {
			tree.Above(p.o.Now().Unix())
		}
		err = p.commit(ctx, tree, when, s, files, skip)
		skip++
		return err
	})
	if err != nil {
		return err
	}
	changed, err := p.align(ctx, s)
	if errors.Is(err, target.ErrChanged) { // another publication is at it, and brings all in line with what it signs
		return nil
	}
	if err == nil && strings.Contains(strings.Join(changed, " "), regions.ManifestKey) {
		err = p.repositories(ctx, s.manifest, nil)
	}
	return err
}

// newTree begins a tree, above the numbers of what lies there and cannot be verified.
func (p *writing) newTree(ctx context.Context) (*signed.Tree, error) {
	stamp, _, err := target.ReadLimited(ctx, p.to, signed.TimestampKey, signed.MaxFile)
	if err != nil && !target.IsAbsent(err) {
		return nil, err
	}
	roots := p.o.Trust.Roots
	return signed.New(roots[len(roots)-1], signed.Numbers(stamp, nil)), nil
}

// commit writes a state and its signatures.
func (p *writing) commit(ctx context.Context, tree *signed.Tree, when target.When, s *state, own map[string]signed.File, skip int64) error {
	files := tree.Files()
	if err := p.listPackages(ctx, s.manifest, files, own); err != nil {
		return err
	}
	for key, content := range s.smalls() {
		sum := host.SHA256Bytes(content)
		files[key] = signed.File{Length: int64(len(content)), SHA256: sum}
		if err := p.writeSmall(ctx, p.to, consistent(key, sum), content, target.When{}); err != nil {
			return err
		}
	}
	return p.writeTree(ctx, tree, when, signed.Change{Files: files, All: p.o.Trust.Anew, Skip: skip, Days: p.o.Trust.Days, Now: p.o.Now()})
}

// writeTree signs and writes: the timestamp last of the files, over the one that was read.
func (p *writing) writeTree(ctx context.Context, tree *signed.Tree, when target.When, c signed.Change) error {
	objects, err := tree.Sign(ctx, p.o.Trust.Ring, c)
	if err != nil {
		return err
	}
	late := when.Absent || tree.Bridged(p.o.Trust.Ring)
	t := &Trusted{Root: tree.Root().Version(), Keys: []string{}}
	for _, o := range objects {
		condition := target.When{Absent: true}
		if o.Key == signed.TimestampKey {
			if condition = when; !late {
				if err := p.writeRoots(ctx, t); err != nil {
					return err
				}
			}
		}
		if err := p.writeSmall(ctx, p.to, o.Key, o.Bytes, condition); err != nil {
			return err
		}
		t.Keys = append(t.Keys, o.Key)
	}
	p.result.Trust = t
	return p.writeRoots(ctx, t)
}

// writeRoots writes those roots that the region has not.
func (p *writing) writeRoots(ctx context.Context, t *Trusted) error {
	for _, r := range p.o.Trust.Roots {
		key := signed.RootKey(r.Version())
		if _, err := p.to.Stat(ctx, key); err == nil {
			continue
		} else if !target.IsAbsent(err) {
			return fmt.Errorf("%s: %w", key, err)
		}
		b, err := r.Bytes()
		if err != nil {
			return err
		}
		if err := p.writeSmall(ctx, p.to, key, b, target.When{Absent: true}); err != nil {
			return err
		}
		t.Keys = append(t.Keys, key)
	}
	return nil
}

// own are the files that a release brings.
func (p *publication) own() map[string]signed.File {
	files := map[string]signed.File{}
	for _, f := range append(p.r.Files[:len(p.r.Files):len(p.r.Files)], p.r.Documents...) {
		for _, key := range f.Keys {
			files[key] = signed.File{Length: f.Size, SHA256: strings.ToLower(f.SHA256), Unpacked: f.Unpacked}
		}
	}
	return files
}

// trust has the region sign this release.
func (p *publication) trust(ctx context.Context) error {
	return p.sign(ctx, p.own(), func(s *state) error {
		if err := p.unchanged(s.manifest); err != nil {
			return err
		}
		p.merge(s.manifest)
		if err := p.mark(s.indexed()); err != nil {
			return err
		}
		if p.r.Active() && !p.r.Version.Less(s.latest) {
			s.latest = p.r.Version
		}
		return nil
	})
}

// listPackages lists what the manifest names, beside what is listed already. own are the files of this run.
func (p *writing) listPackages(ctx context.Context, m *manifests.Manifest, files, own map[string]signed.File) error {
	maps.Copy(files, own)
	for _, pkg := range m.Packages {
		for _, f := range pkg.Files {
			for _, e := range f.AvailableVersions {
				key := pkg.Name + "/" + e.Version + "/" + f.Name
				sum, err := e.Sum()
				if have, listed := files[key]; err != nil || listed && have.SHA256 == sum.String() {
					continue
				}
				one, err := p.measure(ctx, key, sum.String(), e)
				if target.IsAbsent(err) || errors.Is(err, target.ErrDiffers) {
					if p.o.Warn != nil {
						p.o.Warn(key + " is listed in the manifest, and is missing or damaged: it is not signed, and hosts with a root do not take it")
					}
					continue
				}
				if err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
				files[key] = one
			}
		}
	}
	return nil
}
