// Package download says how little of a release has to come over the network: nothing, where the package lies on this host already; a
// delta, where a program that it starts from does; else the whole package.
//
// What must always be true:
//   - Nothing here decides what is right: a file of an image is taken for its SHA-256 alone, and what a delta makes has the SHA-256 of the
//     program that the region's manifest lists for the archive, or there is none ([Apply]). So it does not matter who wrote them.
//   - Whatever goes wrong with a delta, the caller fetches the whole package.
//   - A program made by a delta has its name only when it is whole and synced.
package download

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/delta"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Programs are the agent's programs on a host that a delta may start from: the active one, the previous one, the package's.
func Programs(p pointer.Paths, s pointer.State) (files []string) {
	for _, t := range []pointer.Target{s.Active, s.Previous, pointer.OnFloor()} {
		if !t.IsZero() && (t.IsFloor() || pointer.IsVersion(t.Version)) {
			files = append(files, p.File(t))
		}
	}
	return files
}

// Choose is the smallest of the deltas to a version that starts from a program on this host, if it is smaller than the package; nil where
// there is none. full is the package's size in bytes, 0: not known.
func Choose(list []manifests.Delta, full int64, programs []string) (best *ledger.Delta) {
	if len(list) == 0 {
		return nil
	}
	at := map[string]string{}
	for _, file := range programs {
		if sum, err := host.SHA256File(file); err == nil {
			at[sum] = file
		}
	}
	for _, d := range list {
		file, here := at[d.Source.String()]
		if !here || d.Size > delta.MostDelta || full > 0 && d.Size >= full || best != nil && d.Size >= best.Size {
			continue
		}
		best = &ledger.Delta{File: d.File, SHA256: d.SHA256, Size: d.Size, From: d.From, Source: d.Source, Program: d.Program, On: file}
	}
	return best
}

// Apply makes the new program: from the one that d names, by the delta in patch, into the file to.
func Apply(ctx context.Context, d ledger.Delta, patch, to string) (err error) {
	old, oldSize, err := open(d.On)
	if err != nil {
		return err
	}
	defer old.Close()
	p, size, err := open(patch)
	if err != nil {
		return err
	}
	defer p.Close()
	h, err := delta.ReadHeader(p, size)
	if err != nil {
		return err
	}
	if h.From != d.Source.String() || h.To != d.Program.String() {
		return fmt.Errorf("%w: it makes another program than the manifest lists", delta.ErrDelta)
	}
	part := to + ".part"
	out, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = out.Close()
			_ = os.Remove(part)
		}
	}()
	buffered := bufio.NewWriterSize(out, 256<<10)
	if _, err = delta.Apply(ctx, buffered, old, oldSize, p, size); err != nil {
		return err
	}
	if err = errors.Join(buffered.Flush(), out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(part, to)
}

func open(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", path)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// mostSeeds bounds how many files of the folder of an image are looked at.
const mostSeeds = 64

// Seeded finds a file by its SHA-256 in a folder that an image or an administrator filled, and copies it to a file that no other account
// may write: the one in the folder may change at any time. size is what is listed, 0: not known. Empty where there is none. Names do not
// matter.
func Seeded(dir string, want manifests.Sum, size int64, to string) string {
	entries, err := os.ReadDir(dir)
	if err != nil || want.IsZero() {
		return ""
	}
	for _, e := range entries[:min(len(entries), mostSeeds)] {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || size > 0 && info.Size() != size {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if sum, err := host.SHA256File(path); err == nil && sum == want.String() && take(path, to, want) == nil {
			return path
		}
	}
	return ""
}

// take copies a file and looks at the SHA-256 of what it wrote.
func take(path, to string, want manifests.Sum) (err error) {
	in, size, err := open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	part := to + ".seed"
	out, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, sum), io.LimitReader(in, size))
	if err = errors.Join(err, out.Close()); err == nil && hex.EncodeToString(sum.Sum(nil)) != want.String() {
		err = fmt.Errorf("%s changed while it was read", path)
	}
	if err == nil {
		err = os.Rename(part, to)
	}
	if err != nil {
		_ = os.Remove(part)
	}
	return err
}
