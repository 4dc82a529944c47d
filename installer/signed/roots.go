package signed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"
)

// Roots are all roots that are signed to their end, in ascending order. Each must follow the one before.
func (f *Folder) Roots() (list []*RootFile, err error) {
	for n := int64(1); ; n++ {
		b, err := os.ReadFile(f.at(rootName(n)))
		if errors.Is(err, fs.ErrNotExist) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		r, err := ParseRoot(b)
		if err == nil {
			err = r.Follows(last(list))
		}
		if err != nil {
			return nil, fmt.Errorf("root %d: %w", n, err)
		}
		list = append(list, r)
	}
}

func last(list []*RootFile) *RootFile {
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// Next is the root on its way; nil where there is none. One that a program left which ended before it could remove it, once the root was
// signed to its end, is on its way no more.
func (f *Folder) Next() (*RootFile, error) {
	b, err := os.ReadFile(f.at(nextFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	next, err := ParseRoot(b)
	if err != nil {
		return nil, err
	}
	switch _, err := os.Stat(f.at(rootName(next.Version()))); {
	case err == nil:
		return nil, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return next, nil
}

// rootName is where a root lies that is signed to its end.
func rootName(version int64) string {
	return rootsDir + "/" + strconv.FormatInt(version, 10) + "." + rootFile
}

// Put keeps a root on its way. Once it is signed to its end it becomes the newest, and whole is true.
func (f *Folder) Put(r *RootFile) (whole bool, err error) {
	b, err := r.Bytes()
	if err != nil {
		return false, err
	}
	roots, err := f.Roots()
	if err != nil {
		return false, err
	}
	err = r.Follows(last(roots))
	if errors.Is(err, ErrUnsigned) {
		return false, f.write(nextFile, b, 0o644)
	}
	if err != nil {
		return false, err
	}
	for _, name := range []string{rootName(r.Version()), rootFile} {
		if err := f.write(name, b, 0o644); err != nil {
			return false, err
		}
	}
	if f.Dry {
		return true, nil
	}
	if err := os.Remove(f.at(nextFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, nil
}

// Begin is the root that a change is made to: the one on its way, or a new one after the newest.
func (f *Folder) Begin(now time.Time) (*RootFile, error) {
	next, err := f.Next()
	if err != nil || next != nil {
		return next, err
	}
	roots, err := f.Roots()
	if err != nil {
		return nil, err
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("%w: it has no root", ErrFolder)
	}
	return last(roots).Next(f.Days().Until(Root, now))
}
