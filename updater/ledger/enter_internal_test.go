package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

// A request that was answered with an error is not carried out later, and one that will be is not refused.
func TestAnswerAndRecordAgreeWhateverOfADiskFails(t *testing.T) {
	for name, c := range map[string]struct {
		fails int // syncs in a row, from the one that enters the request on
		taken bool
	}{
		"no sync fails":                          {0, true},
		"one sync fails":                         {1, false},
		"every sync fails":                       {100, false},
		"the disk is not to be written any more": {-1, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := installer.At(t.TempDir())
			if err := os.MkdirAll(filepath.Dir(l.Ledger()), 0o755); err != nil {
				t.Fatal(err)
			}
			b, err := Open(l)
			if err != nil {
				t.Fatal(err)
			}
			left := c.fails
			b.sync = func(f *os.File) error {
				switch {
				case left == 0:
					return f.Sync()
				case left < 0: // what was written stays; nothing more can be
					b.path = filepath.Join(t.TempDir(), "gone")
				}
				left--
				return errors.New("input/output error")
			}
			request := Request{ID: "one", ReplyTo: &ReplyTo{MessageID: "aws.ssm.c-1.mi-1"}}
			err = b.Enter(request, time.Now())
			led, readErr := Read(l)
			if readErr != nil {
				t.Fatal(readErr)
			}
			recorded := led.Open != nil
			if recorded != (err == nil) || recorded != c.taken || recorded != (b.Open != nil) {
				t.Errorf("answer %v; the record has it: %t, the updater: %t", err, recorded, b.Open != nil)
			}
			if (len(led.Accepted) == 1) != recorded {
				t.Errorf("accepted %q", led.Accepted)
			}
		})
	}
}
