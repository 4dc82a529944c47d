package publish_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
)

// Signed files that were replaced stay for a day, and longer where they are of the last three signings: a host that is in the middle of a
// look finds what its timestamp names. Then they go.
func TestReplacedSignedFilesStayForADayAndThenGo(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	k, _ := trustKeys(t)
	now := time.Now().Add(-60 * time.Hour)
	o := publish.Options{Trust: k, Now: func() time.Time { return now }}
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	small := func() int {
		files, err := filepath.Glob(filepath.Join(dir, "????????????????*.ssm-agent-manifest.json"))
		must(t, err)
		return len(files)
	}
	for n := 1; n <= 6; n++ {
		publishTo(t, to, release(t, fmt.Sprintf("9.%d.0.0", n), fmt.Sprint(n)), o)
		now = now.Add(2 * time.Hour)
	}
	for n := 1; n <= 6; n++ {
		for _, role := range []string{"targets", "snapshot"} {
			if !there(fmt.Sprintf("trust/%d.%s.json", n, role)) {
				t.Errorf("%s %d is gone within a day", role, n)
			}
		}
	}
	if small() != 6 {
		t.Errorf("%d manifests", small())
	}
	now = now.Add(40 * time.Hour)
	publishTo(t, to, release(t, "9.7.0.0", "7"), o) // the one before it is replaced by now, for a moment
	for n, want := range map[int]bool{1: false, 2: false, 3: false, 4: true, 5: true, 6: true, 7: true} {
		for _, role := range []string{"targets", "snapshot"} {
			if there(fmt.Sprintf("trust/%d.%s.json", n, role)) != want {
				t.Errorf("%s %d is there: %v", role, n, !want)
			}
		}
	}
	if small() != 4 {
		t.Errorf("%d manifests", small())
	}
	if got, err := hostSees(t, servedAt(t, dir), rootOf(t, k), now); err != nil || got != "9.7.0.0" {
		t.Errorf("a host sees %s, %v", got, err)
	}
}

// Who may write to the bucket may write the record of what is replaced: nothing that hosts read goes by it.
func TestARecordOfReplacedFilesRemovesNothingElse(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	k, _ := trustKeys(t)
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	before := digest(t, dir)
	type named struct {
		Replaced time.Time `json:"replaced"`
		Keys     []string  `json:"keys"`
	}
	var all []string
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if name, _ := filepath.Rel(dir, path); err == nil && !d.IsDir() {
			all = append(all, filepath.ToSlash(name))
		}
		return err
	}))
	record := map[string][]named{"indexes": {{Keys: []string{"x"}}}}
	for range 5 {
		record["indexes"] = append(record["indexes"], named{time.Unix(0, 0), append(all, "../outside")})
	}
	b, err := json.Marshal(record)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "trust/replaced.json"), b, 0o600))
	_, err = publish.Refresh(t.Context(), to, true, publish.Options{Trust: k})
	must(t, err)
	if got, err := hostSees(t, servedAt(t, dir), rootOf(t, k), time.Now()); err != nil || got != "9.1.0.0" {
		t.Errorf("a host sees %s, %v; before:\n%s\nafter:\n%s", got, err, before, digest(t, dir))
	}
}
