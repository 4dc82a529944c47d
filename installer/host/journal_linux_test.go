package host_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func TestTheJournalIsKnownByDeviceAndInode(t *testing.T) {
	r, w, err := os.Pipe()
	ok(t, err)
	defer r.Close()
	defer w.Close()
	var stat syscall.Stat_t
	ok(t, syscall.Fstat(int(w.Fd()), &stat))
	t.Setenv("JOURNAL_STREAM", "")
	if host.IsJournal(w) {
		t.Error("without the variable")
	}
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", stat.Dev, stat.Ino))
	if !host.IsJournal(w) {
		t.Error("the stream is not recognised")
	}
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", stat.Dev, stat.Ino+1))
	if host.IsJournal(w) {
		t.Error("an inherited variable of another stream")
	}
}
