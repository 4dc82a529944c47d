package publish

import (
	"context"
	"fmt"
	"path"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// state is what a region says, in the small files that change.
type state struct {
	manifest *manifests.Manifest
	index    *manifests.Index // nil: there is none
	latest   manifests.Version
	stable   manifests.Version
}

// smalls are the small files of a state, by key.
func (s *state) smalls() map[string][]byte {
	files := map[string][]byte{regions.ManifestKey: s.manifest.Bytes()}
	if s.index != nil {
		files[regions.IndexKey] = s.index.Bytes()
	}
	for key, v := range map[string]manifests.Version{regions.LatestVersionKey: s.latest, regions.StableVersionKey: s.stable} {
		if !v.IsZero() {
			files[key] = []byte(v.String() + "\n")
		}
	}
	return files
}

// indexed is the index, begun where there is none.
func (s *state) indexed() *manifests.Index {
	if s.index == nil {
		s.index = manifests.NewIndex()
	}
	return s.index
}

// smallKeys are the small files that change and that hosts read.
var smallKeys = []string{regions.ManifestKey, regions.IndexKey, regions.LatestVersionKey, regions.StableVersionKey}

// consistent is the name under which hosts with a root read a small file: it has the file's hash in it, so it never changes.
func consistent(key, sum string) string { return path.Join(path.Dir(key), sum+"."+path.Base(key)) }

// verified is the state that a region has signed: of each small file the copy whose hash is listed, put back where the plain
// file is that copy; [signed.ErrTree] where none is left.
func (p *writing) verified(ctx context.Context, tree *signed.Tree) (*state, error) {
	files := tree.Files()
	return p.stateOf(func(key string) ([]byte, error) {
		f, ok := files[key]
		if !ok {
			return nil, target.ErrAbsent
		}
		b, _, err := target.ReadLimited(ctx, p.to, consistent(key, f.SHA256), f.Length+1)
		gone := target.IsAbsent(err)
		if gone {
			b, _, err = target.ReadLimited(ctx, p.to, key, f.Length+1)
		}
		if target.IsAbsent(err) || err == nil && host.SHA256Bytes(b) != f.SHA256 {
			return nil, fmt.Errorf("%w: %s", signed.ErrTree, consistent(key, f.SHA256))
		}
		if gone && err == nil {
			err = p.writeSmall(ctx, p.to, consistent(key, f.SHA256), b, target.When{})
		}
		return b, err
	})
}

// plain is the state that the small files say which nothing has signed yet.
func (p *writing) plain(ctx context.Context) (*state, error) {
	return p.stateOf(func(key string) ([]byte, error) {
		b, _, err := target.ReadLimited(ctx, p.to, key, maxSmall)
		return b, err
	})
}

func (p *writing) stateOf(read func(key string) ([]byte, error)) (*state, error) {
	s := &state{manifest: manifests.NewManifest(p.o.UriFormat)}
	for _, key := range smallKeys {
		b, err := read(key)
		if target.IsAbsent(err) {
			continue
		}
		if err == nil {
			switch key {
			case regions.ManifestKey:
				s.manifest, err = manifests.ParseManifest(b)
			case regions.IndexKey:
				s.index, err = manifests.ParseIndex(b)
			case regions.LatestVersionKey:
				s.latest, err = manifests.ParseVersionFile(b)
			case regions.StableVersionKey:
				s.stable, err = manifests.ParseVersionFile(b)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return s, nil
}
