package releases

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal/screen"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// Bars of what is made at the same time stand below each other, and each gives its place to a line.
func TestABuildHasABarForEachArtifact(t *testing.T) {
	v, errs := terminalPrinter()
	tell := tellBuild(v, &buildResult{Compile: map[string]float64{}, Link: map[string]float64{}})
	tell.Compiled(pack.Platform{OS: "linux", Arch: "arm"}, time.Second)
	tar := tell.Making("a-portable-linux-arm.tar.gz")
	tell.Making("a-debian-arm.deb")
	tar(500, 1000)
	const both = `compiled linux/arm in 1.0 s
a-portable-linux-arm.tar.gz  [=============              ]  50% 500 B of 1.0 kB
a-debian-arm.deb             [====                          ] 0 s`
	if got := screen.Of(t, errs.String()); got != both {
		t.Errorf("under way:\n%s", got)
	}
	tell.Made(pack.Artifact{File: "a-portable-linux-arm.tar.gz", Size: 900, Seconds: 0.5})
	tar(1000, 1000) // too late: it is made
	const one = `compiled linux/arm in 1.0 s
made a-portable-linux-arm.tar.gz, 900 B in 0.5 s
a-debian-arm.deb             [====                          ] 0 s`
	if got := screen.Of(t, errs.String()); got != one {
		t.Errorf("one made:\n%s", got)
	}
	tell.Made(pack.Artifact{File: "a-debian-arm.deb", Size: 800, Seconds: 2})
	v.Result(nil, "done")
	const all = `compiled linux/arm in 1.0 s
made a-portable-linux-arm.tar.gz, 900 B in 0.5 s
made a-debian-arm.deb, 800 B in 2.0 s`
	if got := screen.Of(t, errs.String()); got != all {
		t.Errorf("all made:\n%s", got)
	}
}

// Where there is no terminal, a build says one line per thing done; with --json each is an object with the artifact's data.
func TestABuildWithoutATerminalDrawsNoBars(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var errs bytes.Buffer
		v := terminal.New(nil, &bytes.Buffer{}, &errs)
		v.JSON = asJSON
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

func terminalPrinter() (*terminal.Printer, *bytes.Buffer) {
	var errs bytes.Buffer
	v := terminal.New(nil, &bytes.Buffer{}, &errs)
	v.Terminal = true
	return v, &errs
}
