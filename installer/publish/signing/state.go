package signing

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

// State is what a region says, in the small files that change.
type State struct {
	Manifest *manifests.Manifest
	Index    *manifests.Index // nil: there is none
	Latest   manifests.Version
	Stable   manifests.Version
}

// smalls are the small files of a state, by key.
func (s *State) smalls() map[string][]byte {
	files := map[string][]byte{regions.ManifestKey: s.Manifest.Bytes()}
	if s.Index != nil {
		files[regions.IndexKey] = s.Index.Bytes()
	}
	for key, v := range map[string]manifests.Version{regions.LatestVersionKey: s.Latest, regions.StableVersionKey: s.Stable} {
		if !v.IsZero() {
			files[key] = []byte(v.String() + "\n")
		}
	}
	return files
}

// Indexed is the index, begun where there is none.
func (s *State) Indexed() *manifests.Index {
	if s.Index == nil {
		s.Index = manifests.NewIndex()
	}
	return s.Index
}

// SmallKeys are the small files that change and that hosts read.
var SmallKeys = []string{regions.ManifestKey, regions.IndexKey, regions.LatestVersionKey, regions.StableVersionKey}

// Consistent is the name under which hosts with a root read a small file: it has the file's hash in it, so it never changes.
func Consistent(key, sum string) string { return path.Join(path.Dir(key), sum+"."+path.Base(key)) }

// verified is the state that a region has signed: of each small file the copy whose hash is listed, put back where the plain
// file is that copy; [signed.ErrTree] where none is left.
func (r *Region) verified(ctx context.Context, tree *signed.Tree) (*State, error) {
	files := tree.Files()
	return r.stateOf(func(key string) ([]byte, error) {
		f, ok := files[key]
		if !ok {
			return nil, target.ErrAbsent
		}
		b, _, err := target.ReadLimited(ctx, r.To, Consistent(key, f.SHA256), f.Length+1)
		gone := target.IsAbsent(err)
		if gone {
			b, _, err = target.ReadLimited(ctx, r.To, key, f.Length+1)
		}
		if target.IsAbsent(err) || err == nil && host.SHA256Bytes(b) != f.SHA256 {
			return nil, fmt.Errorf("%w: %s", signed.ErrTree, Consistent(key, f.SHA256))
		}
		if gone && err == nil {
			err = r.Write(ctx, Consistent(key, f.SHA256), b, target.When{})
		}
		return b, err
	})
}

// plain is the state that the small files say which nothing has signed yet.
func (r *Region) plain(ctx context.Context) (*State, error) {
	return r.stateOf(func(key string) ([]byte, error) {
		b, _, err := target.ReadLimited(ctx, r.To, key, target.MaxSmall)
		return b, err
	})
}

func (r *Region) stateOf(read func(key string) ([]byte, error)) (*State, error) {
	s := &State{Manifest: manifests.NewManifest(r.URIFormat)}
	for _, key := range SmallKeys {
		b, err := read(key)
		if target.IsAbsent(err) {
			continue
		}
		if err == nil {
			switch key {
			case regions.ManifestKey:
				s.Manifest, err = manifests.ParseManifest(b)
			case regions.IndexKey:
				s.Index, err = manifests.ParseIndex(b)
			case regions.LatestVersionKey:
				s.Latest, err = manifests.ParseVersionFile(b)
			case regions.StableVersionKey:
				s.Stable, err = manifests.ParseVersionFile(b)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return s, nil
}
