package pointer

import "io/fs"

// checkAccess refuses links and reparse points; who may write is decided by the access list of the program folder, under which
// the store lies.
func checkAccess(_ Paths, path string, info fs.FileInfo) error {
	if info.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
		return unsoundError{path, "is a link", kindAccess}
	}
	return nil
}
