package publish

import (
	"context"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// sum is the progress of several files that come one after the other, as that of one thing: the bytes of all. It is at its end once, when
// [sum.end] is called: files whose size is not known before make the total grow.
type sum struct {
	tell        func(done, total int64) // may be nil
	done, total int64                   // bytes; done are those of the files that are there
}

// expect adds what the files of a manifest hold, as far as it says so.
func (s *sum) expect(m *manifests.Manifest) {
	for _, p := range m.Packages {
		for _, f := range p.Files {
			s.total += max(0, f.AvailableVersions[0].Size)
		}
	}
}

// file follows one file of a size in bytes, 0 where it is not known. got is called when it is there.
func (s *sum) file(size int64) (progress func(done, total int64), got func()) {
	size = max(0, size)
	known := size > 0
	progress = func(done, total int64) {
		if !known && total > 1 {
			known, size = true, total
			s.total += total
		}
		s.say(s.done + min(done, size))
	}
	return progress, func() {
		s.done += size
		s.say(s.done)
	}
}

func (s *sum) say(done int64) {
	if s.tell != nil {
		s.tell(done, max(s.total, done+1))
	}
}

func (s *sum) end() {
	if s.tell != nil && s.done > 0 {
		s.tell(s.done, s.done)
	}
}

// obtain takes a file from the mirror if that has it, else from the region.
func obtain(ctx context.Context, from *bucket.Client, to target.Target, pkg, file string, v manifests.Version, e manifests.FileVersion,
	dir string, o Options) error {
	path := filepath.Join(dir, file)
	key := pkg + "/" + v.String() + "/" + file
	sum, err := e.Sum()
	if err != nil {
		return err
	}
	progress, got := o.fetched.file(e.Size)
	if have, err := to.Stat(ctx, key); err == nil && have.SHA256 == sum.String() {
		err = target.CopyOut(ctx, to, key, path)
		got()
		return err
	}
	err = from.Fetch(ctx, bucket.Want{URL: from.FileURL(pkg, v, file), Path: path, SHA256: sum, Size: e.Size, Progress: progress})
	got()
	return err
}
