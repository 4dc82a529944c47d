// Package deltas adds small downloads to a release that is published: from each of the last published versions straight to the new one, for
// each platform. A delta makes the agent's program of one archive from that of another (installer/delta); it is listed as a file of the
// new version, with the SHA-256 of both programs, so everything that treats a version's files treats it too: statuses, mirrors, signatures.
//
// What must always be true:
//   - The older archive is what the region's manifest lists, by its SHA-256; another is left out, and said.
//   - A delta that is listed already is never made again: a later release of Go may compress the same bytes otherwise.
//   - A delta of more than half of its archive is not offered.
//   - A fault with an older version costs the publication nothing but that delta.
package deltas

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/delta"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Wanted says how deltas are made.
type Wanted struct {
	From   target.Target       // where older versions lie
	Listed *manifests.Manifest // what is listed there; nil: nothing
	Last   int                 // from so many versions
	Dir    string              // for what is made; it stays until the publication is over
	Anew   bool                // the release replaces what is listed of its version
	Warn   func(text string)   // of what is left out; may be nil
}

// mostPart is the largest share of an archive that a delta may have, as a divisor: a half.
const mostPart = 2

// Add adds deltas to a release, and to its archives the SHA-256 of their programs.
func Add(ctx context.Context, r *dist.Release, w Wanted) error {
	var made []dist.File
	for i := range r.Files {
		f := &r.Files[i]
		if f.Package != manifests.AgentPackage || !archive(f.Name) {
			continue
		}
		fresh, err := programOf(r.PathOf(*f), w.Dir)
		if err != nil {
			continue // not an agent's archive: it is published as it is
		}
		f.Program = sumOf(fresh)
		for _, from := range w.versions(f.Name, r.Version) {
			d, err := w.one(ctx, r, *f, fresh, from)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil && w.Warn != nil:
				w.Warn(fmt.Sprintf("no small download from %s to %s for %s: %v", from.Version, r.Version, f.Name, err))
			case err == nil && d.Name != "":
				made = append(made, d)
			}
		}
	}
	r.Files = append(r.Files, made...)
	return nil
}

// archive tells whether a file is one that hosts put into their store: only those are made small.
func archive(name string) bool {
	return strings.HasPrefix(name, manifests.AgentPackage+"-portable-") &&
		(strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".zip"))
}

// versions are the last active ones before a version that the manifest lists of an archive, the newest first.
func (w Wanted) versions(name string, before manifests.Version) (list []manifests.FileVersion) {
	if w.Listed == nil {
		return nil
	}
	l, err := w.Listed.Listing(manifests.AgentPackage, name)
	if err != nil {
		return nil
	}
	all := l.ActiveVersions()
	slices.SortFunc(all, func(a, b manifests.Version) int { return b.Compare(a) })
	for _, v := range all {
		if entry, ok := l.Find(v); ok && v.Less(before) && len(list) < w.Last {
			list = append(list, entry)
		}
	}
	return list
}

// one makes one delta; it has no name where none is needed or worth it.
func (w Wanted) one(ctx context.Context, r *dist.Release, f dist.File, fresh []byte, from manifests.FileVersion) (d dist.File, err error) {
	v, err := manifests.ParseVersion(from.Version)
	if err != nil {
		return d, err
	}
	name := manifests.DeltaFile(f.Name, v)
	if !w.Anew && slices.ContainsFunc(w.Listed.Deltas(f.Name, r.Version), func(l manifests.Delta) bool {
		return l.File == name && strings.EqualFold(l.Program.String(), f.Program)
	}) {
		return d, nil
	}
	old, err := w.older(ctx, f.Name, v, from)
	if err != nil {
		return d, err
	}
	patch, err := delta.Make(ctx, old, fresh)
	if err != nil || int64(len(patch)) > f.Size/mostPart {
		return d, err
	}
	file := filepath.Join(w.Dir, name)
	if err := os.WriteFile(file, patch, 0o600); err != nil {
		return d, err
	}
	return dist.File{Name: name, Package: f.Package, Status: f.Status, SHA256: sumOf(patch), Size: int64(len(patch)), Path: file,
		Keys: []string{f.Package + "/" + r.Version.String() + "/" + name}, Program: f.Program, Source: sumOf(old)}, nil
}

// older is the program of a published version.
func (w Wanted) older(ctx context.Context, name string, v manifests.Version, entry manifests.FileVersion) ([]byte, error) {
	sum, err := entry.Sum()
	if err != nil {
		return nil, err
	}
	body, _, err := w.From.Read(ctx, manifests.AgentPackage+"/"+v.String()+"/"+name)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	file, err := os.CreateTemp(w.Dir, "older-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	n, err := io.Copy(file, io.LimitReader(body, delta.MostProgram))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if got, err := host.SHA256File(file.Name()); err != nil || got != sum.String() {
		return nil, errors.Join(err, fmt.Errorf("%w: %s of %s has %d bytes with SHA-256 %s, listed is %s",
			target.ErrDiffers, name, v, n, got, sum))
	}
	return programOf(file.Name(), w.Dir)
}

// programOf reads the agent's program out of an archive.
func programOf(file, scratch string) ([]byte, error) {
	dir, err := os.MkdirTemp(scratch, "program-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	limits := unpack.Limits{File: delta.MostProgram, Total: delta.MostProgram}
	names, err := unpack.File(file, dir, limits, func(name string) bool {
		return slices.Contains([]string{"ssm-agent-worker", "ssm-agent-worker.exe"}, path.Clean(name))
	})
	if err != nil {
		return nil, err
	}
	if len(names) != 1 {
		return nil, fmt.Errorf("%s holds %d agents", file, len(names))
	}
	return os.ReadFile(filepath.Join(dir, names[0]))
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
