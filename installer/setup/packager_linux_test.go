package setup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A package manager that has begun is neither killed when the program is interrupted, nor reached by the keyboard's signal; one
// that has not does not begin.
func TestAPackageManagerThatHasBegunIsNotInterrupted(t *testing.T) {
	dir := t.TempDir()
	begun, done := filepath.Join(dir, "begun"), filepath.Join(dir, "done")
	script := `cut -d' ' -f5,6 /proc/self/stat >"$1.new" && mv "$1.new" "$1"; while [ ! -e "$1.on" ]; do sleep 0.02; done; echo done >"$2"`
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runPackager(ctx, "/bin/sh", "-c", script, "x", begun, done) }()
	for !Exists(begun) {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("it ended with the context: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	os.WriteFile(begun+".on", nil, 0o600)
	if err := <-ended; err != nil || !Exists(done) {
		t.Errorf("%v", err)
	}
	own, err := os.ReadFile("/proc/self/stat")
	must(t, err)
	_, rest, _ := strings.Cut(string(own), ") ")
	mine := strings.Fields(rest)
	text, err := os.ReadFile(begun)
	must(t, err)
	if its := strings.Fields(string(text)); len(its) != 2 || its[0] == mine[2] || its[1] == mine[3] {
		t.Errorf("process group and session %v, this program's are %v", its, mine[2:4])
	}
	t.Setenv(ActivationCode, "secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	if err := runPackager(context.Background(), "/bin/sh", "-c", `env >"$1"`, "x", begun); err != nil {
		t.Error(err)
	}
	if said, err := os.ReadFile(begun); err != nil || strings.Contains(string(said), "secret") ||
		!strings.Contains(string(said), "DEBIAN_FRONTEND=noninteractive\n") {
		t.Errorf("%s, %v", said, err)
	}
	os.Remove(done)
	if err := runPackager(ctx, "/bin/sh", "-c", script, "x", begun, done); !errors.Is(err, context.Canceled) || Exists(done) {
		t.Errorf("begun after the interrupt: %v", err)
	}
}
