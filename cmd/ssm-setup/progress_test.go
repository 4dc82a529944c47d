package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// screen is what a terminal shows of what was written to it.
func screen(t *testing.T, written string) string {
	t.Helper()
	lines, row := []string{""}, 0
	sequence := regexp.MustCompile(`^\x1b\[(\d*)([AJ])`)
	column := 0
	for len(written) > 0 {
		if m := sequence.FindStringSubmatch(written); m != nil {
			written = written[len(m[0]):]
			if m[2] == "J" {
				lines = append(lines[:row:row], lines[row][:column])
				continue
			}
			n, _ := strconv.Atoi(m[1])
			if row -= n; row < 0 {
				t.Fatal("above the first line")
			}
			continue
		}
		switch c := written[0]; c {
		case '\r':
			column = 0
		case '\n':
			if row++; row == len(lines) {
				lines = append(lines, "")
			}
			column = 0
		default:
			lines[row] = lines[row][:column] + string(c)
			column++
		}
		written = written[1:]
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func terminalPrinter() (*printer, *bytes.Buffer) {
	var errs bytes.Buffer
	v := newPrinter(nil, &bytes.Buffer{}, &errs)
	v.terminal = true
	return v, &errs
}

// Bars of what is made at the same time stand below each other, and each gives its place to a line.
func TestABuildHasABarForEachArtifact(t *testing.T) {
	v, errs := terminalPrinter()
	tell := tellBuild(v, &buildResult{Compile: map[string]float64{}, Link: map[string]float64{}})
	tell.Compiled(pack.Platform{OS: "linux", Arch: "arm"}, time.Second)
	tar := tell.Making("a-portable-linux-arm.tar.gz")
	tell.Making("a-debian-arm.deb")
	tar(500, 1000)
	v.draw()
	const both = `compiled linux/arm in 1.0 s
a-portable-linux-arm.tar.gz  [===============               ] 1.0 kB
a-debian-arm.deb             [====                          ] 0 s`
	if got := screen(t, errs.String()); got != both {
		t.Errorf("under way:\n%s", got)
	}
	tell.Made(pack.Artifact{File: "a-portable-linux-arm.tar.gz", Size: 900, Seconds: 0.5})
	tar(1000, 1000) // too late: it is made
	const one = `compiled linux/arm in 1.0 s
made a-portable-linux-arm.tar.gz, 900 B in 0.5 s
a-debian-arm.deb             [====                          ] 0 s`
	if got := screen(t, errs.String()); got != one {
		t.Errorf("one made:\n%s", got)
	}
	tell.Made(pack.Artifact{File: "a-debian-arm.deb", Size: 800, Seconds: 2})
	v.result(nil, "done")
	const all = `compiled linux/arm in 1.0 s
made a-portable-linux-arm.tar.gz, 900 B in 0.5 s
made a-debian-arm.deb, 800 B in 2.0 s`
	if got := screen(t, errs.String()); got != all {
		t.Errorf("all made:\n%s", got)
	}
}

// A failure leaves no bar of what will not be made.
func TestAFailedBuildLeavesNoBar(t *testing.T) {
	v, errs := terminalPrinter()
	stop := v.animate()
	v.follow("one")
	v.follow("two")
	stop()
	v.fail(usage("nothing"))
	if got := screen(t, errs.String()); !strings.HasPrefix(got, "error: ") || strings.Contains(got, "[") {
		t.Errorf("%s", got)
	}
}

// The bar of a single thing stays as it was when the next line is printed.
func TestABarStaysWhenItsThingIsDone(t *testing.T) {
	v, errs := terminalPrinter()
	tell := v.progress("downloading")
	tell(50, 100)
	tell(100, 100)
	v.step("verified")
	const want = `downloading                  [==============================] 100 B
verified`
	if got := screen(t, errs.String()); got != want {
		t.Errorf("%s", got)
	}
	v.last = time.Time{}
	v.progress("asking")(0, 0)
	v.fail(usage("nothing"))
	if got := screen(t, errs.String()); !strings.HasPrefix(got, want+"\nasking ") || !strings.Contains(got, "\nerror: ") {
		t.Errorf("%s", got)
	}
}

// No line is as wide as the terminal, and no more are drawn than it may hold.
func TestBarsFitTheTerminal(t *testing.T) {
	v, errs := terminalPrinter()
	v.width = 40
	for i := range 2 * mostBars {
		v.follow(fmt.Sprintf("amazon-ssm-agent-updater-windows-nano-amd64-%d.zip", i))
	}
	lines := strings.Split(screen(t, errs.String()), "\n")
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

// Where there is no terminal, a build says one line per thing done; with --json each is an object with the artifact's data.
func TestABuildWithoutATerminalDrawsNoBars(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var errs bytes.Buffer
		v := newPrinter(nil, &bytes.Buffer{}, &errs)
		v.json = asJSON
		tell := tellBuild(v, &buildResult{Compile: map[string]float64{}, Link: map[string]float64{}})
		making := tell.Making("a.deb")
		making(1, 2)
		making(2, 2)
		tell.Made(pack.Artifact{File: "a.deb", Size: 7, SHA256: "abc", Seconds: 2})
		if !asJSON {
			if got := errs.String(); got != "made a.deb, 7 B in 2.0 s\n" {
				t.Errorf("%q", got)
			}
			continue
		}
		lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
		var last struct {
			Step     string
			Artifact pack.Artifact
		}
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Artifact.SHA256 != "abc" || last.Step == "" {
			t.Errorf("%v: %v", lines, err)
		}
		if !strings.Contains(lines[0], `"progress":"a.deb"`) {
			t.Errorf("%v", lines)
		}
	}
}
