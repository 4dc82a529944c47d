// Package selfswap lets ssm-setup replace its own file (the only door to minio/selfupdate).
//
// The new content is compared with a SHA-256 before anything is touched. The old file stays beside the new one, as <file>.old.
// Between two renames there is a moment without the file, and the library does not sync: good enough for a tool that a person
// runs, so nothing on a host rests on it. What was not finished is repaired by running the .old file, or a copy.
package selfswap

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/manifests/fault"

	"github.com/minio/selfupdate"
)

// ErrChecksum says that the new content is not the promised one; nothing was touched.
var ErrChecksum = fault.New(fault.Verify, "checksum of the new program does not match",
	"the file is damaged or not the one the checksum belongs to; nothing was changed")

// MaxProgram is the largest program accepted, in bytes: it is held in memory.
const MaxProgram = 256 << 20

// Replace puts the content of from in the place of the program file target. sha256hex is the promised SHA-256 of it. It
// returns where the old program was kept.
func Replace(target string, from io.Reader, sha256hex string) (old string, err error) {
	want, err := hex.DecodeString(sha256hex)
	if err != nil || len(want) != sha256.Size {
		return "", fmt.Errorf("%w: %q is no SHA-256", ErrChecksum, sha256hex)
	}
	if target, err = filepath.EvalSymlinks(target); err != nil {
		return "", err
	}
	old = target + ".old"
	options := selfupdate.Options{TargetPath: target, TargetMode: 0o755, Checksum: want, Hash: crypto.SHA256, OldSavePath: old}
	fresh := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".new")
	os.Remove(fresh)
	sum := sha256.New()
	content := &counted{r: io.TeeReader(from, sum)}
	if err := selfupdate.PrepareAndCheckBinary(content, options); err != nil {
		os.Remove(fresh)
		if content.err == nil && hex.EncodeToString(sum.Sum(nil)) != hex.EncodeToString(want) {
			return "", fmt.Errorf("%w: %w", ErrChecksum, err)
		}
		return "", err
	}
	if err := sync(fresh); err != nil {
		os.Remove(fresh)
		return "", err
	}
	if err := selfupdate.CommitBinary(options); err != nil {
		if undone := selfupdate.RollbackError(err); undone != nil {
			return old, fmt.Errorf("%w; the old program is at %s: %w", err, old, undone)
		}
		os.Remove(fresh)
		return "", err
	}
	_ = sync(filepath.Dir(target)) // not every system can sync a folder
	return old, nil
}

// counted refuses more than [MaxProgram] bytes.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.n += int64(n); c.n > MaxProgram {
		err = fmt.Errorf("the new program has more than %d bytes", MaxProgram)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

func sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
