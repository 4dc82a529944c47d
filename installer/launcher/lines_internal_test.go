//go:build linux

package launcher

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"syscall"
	"testing"
)

func TestTheJournalGetsPrioritiesAndNoSecondTime(t *testing.T) {
	lines := func(journal bool) string {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var stat syscall.Stat_t
		if err := syscall.Fstat(int(w.Fd()), &stat); err != nil {
			t.Fatal(err)
		}
		stream := "1:1"
		if journal {
			stream = fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
		}
		t.Setenv("JOURNAL_STREAM", stream)
		out := newLineWriter(w, 32, false)
		out.say("started agent ", "9.2.0.0")
		out.warn("an original agent is running")
		out.alarm("agent ended")
		out.close()
		w.Close()
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got, want := lines(true), "<6>started agent 9.2.0.0\n<4>an original agent is running\n<3>agent ended\n"; got != want {
		t.Errorf("to the journal: %q", got)
	}
	if got := lines(false); !regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ launcher: started agent 9.2.0.0\n`).MatchString(got) {
		t.Errorf("to a file: %q", got)
	}
}
