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
	"github.com/ssm-setup/ssm-setup/regions"
)

// TestALockedFolderGoesWithItsLock is run by another process of these tests, too: it keeps the place that the variable names until
// it is ended.
func TestALockedFolderGoesWithItsLock(t *testing.T) {
	place := os.Getenv("SSM_TEST_PLACE")
	if place == "" {
		dir := filepath.Join(t.TempDir(), "a", "b")
		release, err := publish.LockFolder(dir)
		must(t, err)
		release()
		if setup.Exists(dir) {
			t.Error("the folder of the lock is left")
		}
		return
	}
	_, err := publish.LockFolder(place)
	must(t, err)
	os.Stdout.WriteString("locked\n")
	time.Sleep(10 * time.Minute)
}

// holder is another process that publishes to a folder and does not come to an end.
func holder(t *testing.T, place string) (end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestALockedFolderGoesWithItsLock$")
	cmd.Env = append(os.Environ(), "SSM_TEST_PLACE="+place)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	end = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(end)
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("%q", line)
	}
	return end
}

// Of two publications into one folder the second steps back, whatever it is to do there; a dry run reads all the same.
func TestTheSecondOfTwoPublicationsIntoAFolderStepsBack(t *testing.T) {
	bin, err := programs()
	must(t, err)
	dir := t.TempDir()
	dist, place := filepath.Join(dir, "dist"), filepath.Join(dir, "region")
	if s := ssmSetup("build", "--bin", bin, "--only", "tar", "--out", dist); s.code != 0 {
		t.Fatal(s)
	}
	where := []string{"--region", "local", "--to", place}
	verbs := [][]string{append([]string{"publish", "--from", dist}, where...), append([]string{"promote", "--version", "9.1.0.0"}, where...),
		append([]string{"mark", "--version", "9.1.0.0", "--status", "deprecated"}, where...)}
	end := holder(t, place)
	for _, args := range verbs {
		if s := ssmSetup(args...); s.code != exitBusy || !strings.Contains(s.err, "hint: another publication to that place is under way") {
			t.Errorf("%v: %+v", args, s)
		}
	}
	if s := ssmSetup(append(verbs[0], "--dry-run")...); s.code != 0 {
		t.Errorf("dry run: %+v", s)
	}
	if setup.Exists(filepath.Join(place, regions.ManifestKey)) {
		t.Error("something was published")
	}
	end()
	for _, args := range verbs {
		if s := ssmSetup(args...); s.code != 0 || setup.Exists(filepath.Join(place, ".publishing.lock")) {
			t.Errorf("%v: %+v", args, s)
		}
	}
}
