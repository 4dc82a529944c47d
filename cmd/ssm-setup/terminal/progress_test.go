package terminal

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal/screen"
)

func terminalPrinter() (*Printer, *bytes.Buffer) {
	var errs bytes.Buffer
	v := New(nil, &bytes.Buffer{}, &errs)
	v.Terminal = true
	return v, &errs
}

// A failure leaves no bar of what will not be made.
func TestAFailedBuildLeavesNoBar(t *testing.T) {
	v, errs := terminalPrinter()
	stop := v.Animate()
	v.Follow("one")
	v.Follow("two")
	stop()
	v.Fail(Usage("nothing"))
	if got := screen.Of(t, errs.String()); !strings.HasPrefix(got, "error: ") || strings.Contains(got, "[") {
		t.Errorf("%s", got)
	}
}

// The bar of a single thing stays as it was when the next line is printed.
func TestABarStaysWhenItsThingIsDone(t *testing.T) {
	v, errs := terminalPrinter()
	tell := v.Progress("downloading")
	tell(50, 100)
	tell(100, 100)
	v.Step("verified")
	const want = `downloading                  [==============================] 100 B
verified`
	if got := screen.Of(t, errs.String()); got != want {
		t.Errorf("%s", got)
	}
	v.last = time.Time{}
	v.Progress("asking")(0, 0)
	v.Fail(Usage("nothing"))
	if got := screen.Of(t, errs.String()); !strings.HasPrefix(got, want+"\nasking ") || !strings.Contains(got, "\nerror: ") {
		t.Errorf("%s", got)
	}
}

// No line is as wide as the terminal, and no more are drawn than it may hold.
func TestBarsFitTheTerminal(t *testing.T) {
	v, errs := terminalPrinter()
	v.width = 40
	for i := range 2 * mostBars {
		v.Follow(fmt.Sprintf("amazon-ssm-agent-updater-windows-nano-amd64-%d.zip", i))
	}
	lines := strings.Split(screen.Of(t, errs.String()), "\n")
	if len(lines) != mostBars {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if len(line) > 39 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	for _, name := range []string{"", "short", strings.Repeat("long", 40)} {
		for _, line := range []string{bar(name, 5, 10), bar(name, 5, 0), bar(name, 20, 10), waiting(name, time.Hour),
			waiting(name, 4200*time.Millisecond)} {
			if len(line) > 79 {
				t.Errorf("%d columns: %s", len(line), line)
			}
		}
	}
}
