package pointer

import (
	"io/fs"
	"os"
	"path/filepath"
)

// checkAccess refuses links and reparse points; who may write is decided by the access list of the program folder, under which
// the store lies.
func checkAccess(path string, info fs.FileInfo) error {
	if info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
		return unsoundError{path, "is a link", kindAccess}
	}
	return nil
}

// checkFolders does so from the installation root down. The access lists of the folders are looked at by an installation; one that was
// made before that was so goes on working.
func checkFolders(p Paths, dir string) error {
	for {
		info, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		if err := checkAccess(dir, info); err != nil {
			return err
		}
		up := filepath.Dir(dir)
		if SamePath(dir, p.Root) || up == dir {
			return nil
		}
		dir = up
	}
}
