//go:build unix

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// CheckFolders fails where an account other than root's and this one could exchange a program in dir: by changing dir, or by renaming
// any folder or link on the way from / to it. root, which may be empty, is a folder on that way: in it, and in all below, no other
// account may write; above it one may where a sticky folder of root's protects what is in it, and the group of an account that is not
// root may. What is not there yet is not looked at. [ErrForeign] and [ErrWritable] say what was found.
func CheckFolders(dir, root string) error {
	w := walk{uid: os.Geteuid(), at: "/"}
	above, below := root, ""
	switch {
	case root == "":
		above = dir
	case dir != root:
		below = strings.TrimPrefix(dir, root)
	}
	if err := w.folder(root == "/"); err != nil {
		return err
	}
	if there, err := w.down(above, false, root != ""); err != nil || !there {
		return err
	}
	_, err := w.down(below, true, true)
	return err
}

// maxLinks is how many links one path may have on its way.
const maxLinks = 40

var errLinks = errors.New("too many links")

// walk goes from / to a folder as the system does: link by link.
type walk struct {
	uid   int
	at    string
	links int
}

// down goes along a path, with all its folders inside of an installation or above it; the last one may be its first. False: the path
// ends before. A link that leads out of an installation to a folder elsewhere makes that folder one of the installation's.
func (w *walk) down(path string, inside, last bool) (there bool, err error) {
	parts := partsOf(path, inside, inside || last)
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		if part.name == "." || part.name == ".." {
			w.at = filepath.Join(w.at, part.name)
			continue
		}
		next := filepath.Join(w.at, part.name)
		info, err := os.Lstat(next)
		if err != nil {
			return false, nil //nolint:nilerr // not there, or not for this account to see
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			w.at = next
			if err := w.folder(part.inside); err != nil {
				return false, err
			}
			continue
		}
		to, err := w.follow(next, info)
		if err != nil {
			return false, err
		}
		if filepath.IsAbs(to) {
			w.at = "/"
		}
		parts = append(partsOf(to, part.inside && !filepath.IsAbs(to), part.inside), parts...)
	}
	return true, nil
}

// part is one name of a path.
type part struct {
	name   string
	inside bool
}

func partsOf(path string, inside, last bool) (parts []part) {
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' }) {
		parts = append(parts, part{name, inside})
	}
	if len(parts) > 0 {
		parts[len(parts)-1].inside = last
	}
	return parts
}

// follow is where a link leads that no other account can lead elsewhere.
func (w *walk) follow(link string, info fs.FileInfo) (to string, err error) {
	if err := w.owned(link, info); err != nil {
		return "", err
	}
	if w.links++; w.links > maxLinks {
		return "", fmt.Errorf("%s: %w", link, errLinks)
	}
	return os.Readlink(link)
}

// owned fails unless a thing is root's or this account's.
func (w *walk) owned(path string, info fs.FileInfo) error {
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	if owner != 0 && owner != w.uid {
		return &folderError{ErrForeign, fmt.Sprintf("%s is user %d's", path, owner)}
	}
	return nil
}

// folder judges the folder that the walk has come to.
func (w *walk) folder(inside bool) error {
	info, err := os.Stat(w.at)
	if err != nil {
		return err
	}
	if err := w.owned(w.at, info); err != nil {
		return err
	}
	owner, loose := int(info.Sys().(*syscall.Stat_t).Uid), info.Mode().Perm()&0o022
	switch {
	case loose == 0, !inside && owner == 0 && info.Mode()&os.ModeSticky != 0, !inside && w.uid != 0 && loose == 0o020:
		return nil
	}
	return &folderError{ErrWritable, fmt.Sprintf("%s has mode %#o", w.at, info.Mode().Perm())}
}

// CheckFile fails where another account could change a file, links followed.
func CheckFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	w := walk{uid: os.Geteuid()}
	if err := w.owned(path, info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return &folderError{ErrWritable, path}
	}
	return nil
}
