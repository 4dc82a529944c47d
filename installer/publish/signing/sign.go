package signing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// Heal puts back small files that were changed without the keys, or that a publication wrote which broke off before it signed.
func (r *Region) Heal(ctx context.Context) error {
	if r.Keys == nil || r.DryRun {
		return nil
	}
	tree, _, err := r.tree(ctx)
	if err != nil || tree == nil {
		return err
	}
	s, err := r.verified(ctx, tree)
	if err != nil {
		return err
	}
	changed, err := r.align(ctx, s)
	if len(changed) > 0 && r.Warn != nil {
		r.Warn(strings.Join(changed, ", ") + ": not as it was signed (changed without the keys, or by a publication that broke off); put back")
	}
	return err
}

// tree is what the region has signed; nil for nothing. when names the timestamp that was read.
func (r *Region) tree(ctx context.Context) (tree *signed.Tree, when target.When, err error) {
	tree, when, _, err = r.read(ctx)
	if errors.Is(err, signed.ErrTree) && r.Keys.Anew {
		return nil, when, nil
	}
	if tree == nil && err == nil && !r.Keys.Anew { // a root comes after the first timestamp, so another hand took that away
		if was, fault := isSigned(ctx, r.To); was || fault != nil {
			err = errors.Join(fault, fmt.Errorf("%w: %s is missing", signed.ErrTree, signed.TimestampKey))
		}
	}
	return tree, when, err
}

// read is what lies at the place; stamp is the timestamp as it was read, verified or not.
func (r *Region) read(ctx context.Context) (tree *signed.Tree, when target.When, stamp []byte, err error) {
	when = target.When{Absent: true}
	from := signed.Reading{Absent: target.IsAbsent, Read: func(ctx context.Context, key string, limit int64) ([]byte, error) {
		b, tag, err := target.ReadLimited(ctx, r.To, key, limit)
		if key == signed.TimestampKey && err == nil {
			when, stamp = target.When{Tag: tag}, b
		}
		return b, err
	}}
	tree, err = signed.Read(ctx, r.Keys.Roots, from)
	return tree, when, stamp, err
}

// align writes the small files as a state has them, and tells which were not so.
func (r *Region) align(ctx context.Context, s *State) (changed []string, err error) {
	want := s.smalls()
	for _, key := range SmallKeys {
		content, ok := want[key]
		if !ok {
			continue
		}
		have, tag, err := target.ReadLimited(ctx, r.To, key, target.MaxSmall)
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
		if err := r.Write(ctx, key, content, when); err != nil {
			return changed, err
		}
		changed = append(changed, key)
	}
	return changed, nil
}

// Sign has the region sign what this run changed: change works on what was signed last, not on what the bucket's plain files say, and
// files are those that the run brought. What another publication signed meanwhile is read anew and changed again. The old timestamp
// names the old files, which stay, until the new one is written over it.
func (r *Region) Sign(ctx context.Context, files map[string]signed.File, change func(*State) error) error {
	if r.Keys == nil || r.DryRun {
		return nil
	}
	skip := int64(0)
	var s *State
	err := target.Retry(ctx, func() error {
		tree, when, err := r.tree(ctx)
		if err != nil {
			return err
		}
		if tree != nil {
			s, err = r.verified(ctx, tree)
		}
		if tree == nil || r.Keys.Anew && errors.Is(err, signed.ErrTree) {
			s, err = r.plain(ctx)
		}
		if tree == nil && err == nil {
			tree, err = r.newTree(ctx)
		}
		if err == nil {
			err = change(s)
		}
		if err != nil {
			return err
		}
		if r.Keys.Anew {
			tree.Above(r.Now().Unix())
		}
		err = r.commit(ctx, tree, when, s, files, skip)
		skip++
		return err
	})
	if err != nil {
		return err
	}
	changed, err := r.align(ctx, s)
	if errors.Is(err, target.ErrChanged) { // another publication is at it, and brings all in line with what it signs
		return nil
	}
	if err == nil && strings.Contains(strings.Join(changed, " "), regions.ManifestKey) {
		err = r.Repositories(ctx, s.Manifest)
	}
	return err
}

// newTree begins a tree, above the numbers of what lies there and cannot be verified.
func (r *Region) newTree(ctx context.Context) (*signed.Tree, error) {
	stamp, _, err := target.ReadLimited(ctx, r.To, signed.TimestampKey, signed.MaxFile)
	if err != nil && !target.IsAbsent(err) {
		return nil, err
	}
	roots := r.Keys.Roots
	return signed.New(roots[len(roots)-1], signed.Numbers(stamp, nil)), nil
}

// commit writes a state and its signatures.
func (r *Region) commit(ctx context.Context, tree *signed.Tree, when target.When, s *State, own map[string]signed.File, skip int64) error {
	files := tree.Files()
	if err := r.listPackages(ctx, s.Manifest, files, own); err != nil {
		return err
	}
	for key, content := range s.smalls() {
		sum := host.SHA256Bytes(content)
		files[key] = signed.File{Length: int64(len(content)), SHA256: sum}
		if err := r.Write(ctx, Consistent(key, sum), content, target.When{}); err != nil {
			return err
		}
	}
	return r.writeTree(ctx, tree, when, signed.Change{Files: files, All: r.Keys.Anew, Skip: skip, Days: r.Keys.Days, Now: r.Now()})
}

// writeTree signs and writes: the timestamp last of the files, over the one that was read.
func (r *Region) writeTree(ctx context.Context, tree *signed.Tree, when target.When, c signed.Change) error {
	objects, err := tree.Sign(ctx, r.Keys.Ring, c)
	if err != nil {
		return err
	}
	late := when.Absent || tree.Bridged(r.Keys.Ring)
	served := served(tree)
	if len(objects) > 0 {
		r.note(ctx, tree, false)
		if err := r.Expect(ctx, served); err != nil {
			return err
		}
	}
	t := &Trusted{Root: tree.Root().Version(), Keys: []string{}}
	for _, o := range objects {
		condition := target.When{Absent: true}
		if o.Key == signed.TimestampKey {
			if condition = when; !late {
				if err := r.writeRoots(ctx, t); err != nil {
					return err
				}
			}
		}
		if err := r.Write(ctx, o.Key, o.Bytes, condition); err != nil {
			return err
		}
		t.Keys = append(t.Keys, o.Key)
	}
	r.Signed = t
	r.note(ctx, tree, true)
	if err := r.writeRoots(ctx, t); err != nil || len(objects) == 0 {
		return err
	}
	err = r.Drop(ctx, func(key string) bool { return mayGo(key) && !slices.Contains(served, key) })
	if errors.Is(err, target.ErrChanged) { // another publication is at it, and drops the same
		return nil
	}
	return err
}

// served are the files that hosts read, but for packages, roots and the timestamp.
func served(tree *signed.Tree) (keys []string) {
	files := tree.Files()
	for _, key := range SmallKeys {
		if f, ok := files[key]; ok {
			keys = append(keys, Consistent(key, f.SHA256))
		}
	}
	return append(keys, tree.Numbered()...)
}

// old are names of files that a later signing replaces: hosts never read one of them again.
var old = regexp.MustCompile(`^(trust/[0-9]+\.(targets|snapshot)\.json|(latest/|stable/)?[0-9a-f]{64}\.([A-Za-z-]+\.json|VERSION))$`)

func mayGo(key string) bool { return old.MatchString(key) }

// writeRoots writes those roots that the region has not.
func (r *Region) writeRoots(ctx context.Context, t *Trusted) error {
	for _, root := range r.Keys.Roots {
		key := signed.RootKey(root.Version())
		if _, err := r.To.Stat(ctx, key); err == nil {
			continue
		} else if !target.IsAbsent(err) {
			return fmt.Errorf("%s: %w", key, err)
		}
		b, err := root.Bytes()
		if err != nil {
			return err
		}
		if err := r.Write(ctx, key, b, target.When{Absent: true}); err != nil {
			return err
		}
		t.Keys = append(t.Keys, key)
	}
	return nil
}

// listPackages lists what the manifest names, beside what is listed already. own are the files of this run.
func (r *Region) listPackages(ctx context.Context, m *manifests.Manifest, files, own map[string]signed.File) error {
	maps.Copy(files, own)
	for _, pkg := range m.Packages {
		for _, f := range pkg.Files {
			for _, e := range f.AvailableVersions {
				key := pkg.Name + "/" + e.Version + "/" + f.Name
				sum, err := e.Sum()
				if have, listed := files[key]; err != nil || listed && have.SHA256 == sum.String() {
					continue
				}
				one, err := r.measure(ctx, key, sum.String(), e)
				if target.IsAbsent(err) || errors.Is(err, target.ErrDiffers) {
					if r.Warn != nil {
						r.Warn(key + " is listed in the manifest, and is missing or damaged: it is not signed, and hosts with a root do not take it")
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
