package trust_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// A host that is killed at any write while it follows a root with another timestamp key follows it the next time, though the old key is
// gone and its thief had signed the highest numbers; what the old key signed counts no more.
func TestARotationOfTheRootThatIsKilledAnywhereIsFollowedTheNextTime(t *testing.T) {
	w := newWorld(t)
	w.stamp.Signed.Version = 1000 // by a thief, or in the years before
	w.release()
	_, err := w.install()
	must(t, err)
	before := t.TempDir()
	must(t, os.CopyFS(before, os.DirFS(w.place.Dir)))
	stolen := w.copy()
	w.nextRoot(func() { w.rotate("timestamp") })
	w.stamp.Signed.Version = 3
	w.release()
	_, err = w.install()
	must(t, err)
	after := t.TempDir()
	must(t, os.CopyFS(after, os.DirFS(w.place.Dir)))
	followed := w.copy()

	writes := []string{"timestamp.json", "snapshot.json", "targets.json", "time", "root.json"} // the order of Place.Save
	for n := range len(writes) + 1 {
		for _, gone := range []bool{false, true} { // what the new root made forgotten was removed, or not
			dir := filepath.Join(t.TempDir(), "trust")
			must(t, os.CopyFS(dir, os.DirFS(before)))
			if gone {
				must(t, os.Remove(filepath.Join(dir, "timestamp.json")))
			}
			for _, name := range writes[:n] {
				b, err := os.ReadFile(filepath.Join(after, name))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				must(t, err)
				must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
			}
			w.place = trust.Place{Dir: dir}
			w.objects = followed
			if _, err := w.install(); err != nil {
				t.Errorf("killed after %d writes: %v", n, err)
				continue
			}
			s, err := w.place.Load()
			must(t, err)
			if f, err := s.Facts(); err != nil || f.Root != 2 || len(f.Roles) != 4 {
				t.Errorf("killed after %d writes, the next time: %+v, %v", n, f, err)
			}
			w.objects = stolen
			if _, err := w.install(); err == nil {
				t.Errorf("killed after %d writes: what the old key signed is taken again", n)
			}
		}
	}
}
