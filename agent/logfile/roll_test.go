package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFullLogRolls(t *testing.T) {
	r := &rolled{path: filepath.Join(t.TempDir(), "a.log"), size: 100, rolls: 2}
	defer r.close()
	for i := range 50 {
		r.write([]byte(strings.Repeat(string(rune('a'+i%26)), 39) + "\n"))
	}
	names, _ := filepath.Glob(r.path + "*")
	for i, name := range names {
		names[i] = filepath.Base(name)
	}
	if got := strings.Join(names, " "); got != "a.log a.log.23 a.log.24" {
		t.Error(got)
	}
	if info, err := os.Stat(r.path); err != nil || info.Size() > 100 {
		t.Error(info, err)
	}
}
