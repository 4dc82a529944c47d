package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/regions"
)

// A disk that is too small: said before anything is downloaded, or as soon as it is full; nothing is left.
func TestAFullDiskLeavesNothingBehind(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root; CI runs this as root, too")
	}
	r := published(t)
	activate(t, r)
	for _, limit := range []string{"1m", "9m", "20m", "1m unforeseen", "9m unforeseen", "20m unforeseen"} {
		limit, unforeseen := strings.CutSuffix(limit, " unforeseen")
		if unforeseen { // a manifest without sizes, as the original's
			m, err := r.Get(regions.ManifestKey)
			if err != nil {
				t.Fatal(err)
			}
			r.Put(regions.ManifestKey, regexp.MustCompile(`,\s*"Size": \d+`).ReplaceAll(m, nil))
		}
		disk := filepath.Join(t.TempDir(), "disk")
		os.Mkdir(disk, 0o755)
		if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "mode=0755,size="+limit); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
		dir := filepath.Join(disk, "host")
		s := installInto(r, dir)
		if s.code != ExitNoSpace || !strings.Contains(s.err, `"hint":"free some space`) {
			t.Errorf("%s: %+v", limit, s)
		}
		if setup.Exists(dir) {
			t.Errorf("%s: something is left", limit)
		}
	}
}
