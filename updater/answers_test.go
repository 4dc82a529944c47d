package updater_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func TestAStateFolderBehindALinkIsNamed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links are refused where folders are checked")
	}
	w := newWorld(t)
	data, elsewhere := w.layout.Data(), filepath.Join(w.layout.Root, "elsewhere")
	must(t, os.Rename(data, elsewhere))
	must(t, os.Symlink(elsewhere, data))
	o := w.run(ledger.Request{})
	if o.Success || o.Fault != fault.Refused || !strings.Contains(o.Reason, data+" is a symbolic link to "+elsewhere) {
		t.Errorf("%+v", o)
	}
	if entries, _ := os.ReadDir(w.layout.Download()); len(entries) != 0 {
		t.Errorf("something was fetched: %v", entries)
	}
}

func TestAnArchiveHoldsAtMostWhatIsListed(t *testing.T) {
	for listed, success := range map[int64]bool{0: true, 1 << 20: true, 10: false} {
		w := newWorld(t)
		w.unpacked = listed
		o := w.run(ledger.Request{})
		if o.Success != success {
			t.Errorf("listed with %d bytes: %+v", listed, o)
		}
		if !success && (o.Fault.ExitCode() != 4 || !strings.Contains(o.Reason, "the archive is larger than accepted")) {
			t.Errorf("exit code %d, %s", o.Fault.ExitCode(), o.Reason)
		}
	}
}

func TestNoRawBytesOfASelfTestReachTheAnswer(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	try := e.System.Try
	e.System.Try = func(ctx context.Context, file string, args ...string) (string, error) {
		if args[0] == "selftest" {
			return "\x1b[31mpanic:\x00 \xff\xfe broken\n\n\tgoroutine 1\r\n", errors.New("exit status 2")
		}
		return try(ctx, file, args...)
	}
	o, err := e.Run(context.Background(), ledger.Request{}, func(string) {})
	must(t, err)
	text := o.Text()
	if !strings.Contains(text, "its self-test failed: exit status 2: ?[31mpanic:? ? broken goroutine 1") || !utf8.ValidString(text) {
		t.Errorf("%q", text)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		t.Errorf("%q", text)
	}
}

// The ledger's place is a folder: what is answered names no version that was never looked for.
func TestARequestThatCannotBeRecordedIsRefusedWithTheReason(t *testing.T) {
	w := newWorld(t)
	must(t, os.MkdirAll(w.layout.Ledger(), 0o755))
	said := ""
	o, err := w.engine().Run(context.Background(), ledger.Request{}, func(line string) { said = line })
	if o != nil || err == nil || !strings.HasPrefix(said, "refused ") || !strings.Contains(said, w.layout.Ledger()) {
		t.Errorf("%+v, %v, %q", o, err, said)
	}
}
