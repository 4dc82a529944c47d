package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkLinks refuses links in the folder of an agent's data before a first installation (docs/protocol/identity.md, "Windows
// first-install check"): with one, another user could have the agent write where it leads. With remove, links below amazon/SSM are
// deleted instead.
func checkLinks(amazon string, remove bool) error {
	info, err := os.Lstat(amazon)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if isLink(info.Mode()) {
		if !remove {
			return fmt.Errorf("Forbidden link at: %s", amazon) //nolint:staticcheck // the original's words
		}
		return os.Remove(amazon)
	}
	var found []string
	err = filepath.WalkDir(filepath.Join(amazon, "SSM"), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && isLink(d.Type()) {
			found = append(found, path)
			if d.IsDir() {
				return filepath.SkipDir
			}
		}
		return err
	})
	if err != nil || len(found) == 0 {
		return err
	}
	if !remove {
		return fmt.Errorf("Forbidden links at: %v", found) //nolint:staticcheck // the original's words
	}
	var errs []error
	for _, path := range found {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}

// isLink: Go calls a junction irregular.
func isLink(mode fs.FileMode) bool { return mode&(fs.ModeSymlink|fs.ModeIrregular) != 0 }
