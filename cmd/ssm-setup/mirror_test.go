package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// Two runs into one folder would write into the same unfinished files. The second steps back; one that died is no hindrance, and
// another region's is none.
func TestTheSecondOfTwoMirrorsStepsBack(t *testing.T) {
	if to := os.Getenv("SSM_TEST_MIRROR"); to != "" {
		_, err := publish.LockMirror(to, "local")
		must(t, err)
		os.Stdout.WriteString("locked\n")
		time.Sleep(10 * time.Minute)
	}
	r := published(t)
	to := filepath.Join(t.TempDir(), "mirror")
	holder := exec.Command(os.Args[0], "-test.run", "^TestTheSecondOfTwoMirrorsStepsBack$")
	holder.Env = append(os.Environ(), "SSM_TEST_MIRROR="+to)
	out, err := holder.StdoutPipe()
	must(t, err)
	must(t, holder.Start())
	defer holder.Process.Kill()
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("%q", line)
	}
	args := []string{"mirror", "--region", "local", "--endpoint", r.URL(), "--to", to}
	s := ssmSetup(args...)
	if s.code != exitBusy || !strings.Contains(s.err, "another run mirrors this region there") ||
		setup.Exists(filepath.Join(to, "amazon-ssm-local")) {
		t.Errorf("%+v", s)
	}
	release, err := publish.LockMirror(to, "eu-west-1")
	must(t, err)
	release()
	must(t, holder.Process.Kill())
	holder.Wait()
	if s := ssmSetup(args...); s.code != 0 || setup.Exists(filepath.Join(to, ".unfinished")) {
		t.Errorf("%+v", s)
	}
	none := filepath.Join(t.TempDir(), "none")
	if s := ssmSetup("mirror", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--to", none); s.code != exitRegion ||
		setup.Exists(none) {
		t.Errorf("%+v", s)
	}
}
