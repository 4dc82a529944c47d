package terminal

import (
	"bytes"
	"fmt"
	"os"
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
	tell(100, 100)
	v.Step("verified")
	const want = `downloading                  [============================] 100% 100 B in 0.0 s
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

// A line printed while a thing is under way stands above its one bar.
func TestOneTaskHasOneBarWhateverIsPrintedMeanwhile(t *testing.T) {
	v, errs := terminalPrinter()
	tell := v.Progress("downloading")
	tell(10, 100)
	v.Step("one")
	v.last = time.Time{}
	tell(60, 100)
	v.Step("two")
	got := screen.Of(t, errs.String())
	if !strings.HasPrefix(got, "one\ntwo\ndownloading ") || strings.Count(got, "downloading") != 1 ||
		!strings.Contains(got, " 60% 60 B of 100 B") {
		t.Errorf("%s", got)
	}
}

func TestABarSaysHowMuchHowFastAndHowLong(t *testing.T) {
	began := time.Now()
	g := &Bar{what: "downloading", done: 30e6, total: 90e6, began: began}
	for width, want := range map[int]string{
		100: "downloading                  [========                 ]  33% 30.0 MB of 90.0 MB 20 s left 3.0 MB/s",
		80:  "downloading               [==      ]  33% 30.0 MB of 90.0 MB 20 s left 3.0 MB/s",
		60:  "downloading    [==      ]  33% 30.0 MB of 90.0 MB 20 s left",
		40:  "downloading             [==      ]  33%",
		20:  "downloading     33%",
	} {
		if got := g.line(began.Add(10*time.Second), width); strings.TrimSpace(got) == "" || len(got) >= width || got != want {
			t.Errorf("%d columns: %q", width, got)
		}
	}
	g = &Bar{what: "asking regions", unit: thingsUnit, things: "regions", done: 12, total: 39, began: began}
	if got := g.line(began, 80); !strings.Contains(got, " 30% 12 of 39") || strings.Contains(got, "B") {
		t.Errorf("%q", got)
	}
	g = &Bar{what: "9.2.0.0 is on trial", unit: secondsUnit, done: 12000, total: 30000, began: began}
	if got := g.line(began, 80); !strings.HasSuffix(got, "] 12 s of 30 s") {
		t.Errorf("%q", got)
	}
}

// Where there is no terminal, progress is a plain line every few seconds, and nothing at all of what is done sooner.
func TestWithoutATerminalProgressIsAPlainLineNowAndThen(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Printer)
		want   string
	}{
		"plain": {func(*Printer) {}, "downloading: 50% (50 B of 100 B)\n"},
		"quiet": {func(p *Printer) { p.Quiet = true }, ""},
		"json":  {func(p *Printer) { p.JSON = true }, `{"done":10,"progress":"downloading","total":100}` + "\n"},
	} {
		var errs bytes.Buffer
		p := New(nil, &bytes.Buffer{}, &errs)
		c.change(p)
		g := &Bar{printer: p, what: "downloading"}
		g.Tell(10, 100)
		g.Tell(20, 100)
		g.said = time.Now().Add(-plainPause)
		g.Tell(50, 100)
		if got := errs.String(); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestADumbTerminalIsNotRedrawn(t *testing.T) {
	t.Setenv("TERM", "dumb")
	if vivid(os.Stderr) {
		t.Error("it is")
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
		for _, width := range []int{40, 80, 200} {
			for _, g := range []*Bar{{what: name, done: 5, total: 10}, {what: name, done: 5}, {what: name, done: 20, total: 10},
				{what: name, follows: true, began: time.Now().Add(-time.Hour)}} {
				if line := g.line(time.Now(), width); len(line) >= width {
					t.Errorf("%d columns: %s", len(line), line)
				}
			}
		}
	}
}
