package pack_test

import (
	"archive/zip"
	"bytes"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// SOURCE_DATE_EPOCH may be any time there is: every format is made, the same each time. A zip begins in 1980, as what reads the old
// field only takes it, too.
func TestAnyTimeOfTheEpochCanBePacked(t *testing.T) {
	for _, at := range []int64{0, 1<<32 - 1} {
		for _, p := range []pack.Platform{amd64, windowsOn("amd64"), {OS: "darwin", Arch: "amd64"}} {
			for _, f := range pack.Formats() {
				if f.File(p) == "" {
					continue
				}
				in := input(t, p)
				in.Time = time.Unix(at, 0)
				b := make1(t, f.Name, in)
				if !bytes.Equal(b, make1(t, f.Name, in)) {
					t.Errorf("%d: two of %s differ", at, f.File(p))
				}
				z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
				if err != nil {
					continue
				}
				for _, e := range z.File {
					if year := 1980 + int(e.ModifiedDate>>9); at < 1<<31 && year != 1980 {
						t.Errorf("%d: %s of %s is of %d", at, e.Name, f.File(p), year)
					}
				}
			}
		}
	}
}
