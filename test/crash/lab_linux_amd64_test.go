package crash_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// Versions: the package's, a sound release, and one that ends as soon as it runs as the service.
const (
	packageVersion = "9.1.0.0"
	soundVersion   = "9.8.0.0"
	brokenVersion  = "9.9.0.0"
)

// stamped is what every program is linked with, before its version.
const stamped = "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="

// lab is what all hosts share: programs, releases, and the region that they belong to.
type lab struct {
	dir, tool, filter string
	region            *local.Region
	env               []string
	starts            chan func()     // programs that no tracer follows
	usual             map[string]bool // files that runs without faults leave
}

// newLab builds, and publishes to a region of its own.
func newLab(t *testing.T) *lab {
	t.Helper()
	syscall.Umask(0o022)
	dir := t.TempDir()
	for d := dir; strings.HasPrefix(d, os.TempDir()+string(filepath.Separator)); d = filepath.Dir(d) {
		_ = os.Chmod(d, 0o755) // nothing is run from where others may write
	}
	l := &lab{dir: dir, tool: filepath.Join(dir, "bin", "ssm-setup"), filter: filepath.Join(dir, "bin", "filter"), region: local.Start(t),
		usual: map[string]bool{}, starts: make(chan func())}
	go begin(l.starts)
	t.Cleanup(func() { close(l.starts) })
	home := filepath.Join(dir, "home")
	must(t, os.MkdirAll(home, 0o700))
	id, code, err := l.region.CreateActivation(1000)
	must(t, err)
	l.env = append(os.Environ(), "HOME="+home, "AWS_SHARED_CREDENTIALS_FILE="+l.region.CredentialsFile(), "AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "SSM_ACTIVATION_ID="+id, "SSM_ACTIVATION_CODE="+code)
	must(t, l.link(l.tool, "./cmd/ssm-setup", packageVersion, ""))
	must(t, l.link(l.filter, "./test/crash/filter", packageVersion, ""))
	must(t, l.release(packageVersion, "./cmd/ssm-agent-worker", ""))
	must(t, l.release(soundVersion, "./cmd/ssm-agent-worker", ""))
	must(t, l.release(brokenVersion, "./test/broken", " -X main.how=exit"))
	return l
}

// release builds one, packs it and publishes it.
func (l *lab) release(version, worker, flags string) error {
	parts, out := filepath.Join(l.dir, "parts", version), filepath.Join(l.dir, "releases", version)
	if err := l.link(filepath.Join(parts, "amazon-ssm-agent"), "./cmd/amazon-ssm-agent", version, ""); err != nil {
		return err
	}
	if err := l.link(filepath.Join(parts, "ssm-agent-worker"), worker, version, flags); err != nil {
		return err
	}
	if err := l.do("build", "--version", version, "--bin", parts, "--only", "tar", "--platform", runtime.GOOS+"/"+runtime.GOARCH,
		"--out", out); err != nil {
		return err
	}
	return l.do("publish", "--from", out, "--region", l.region.Name(), "--endpoint", l.region.URL(), "--deltas", "0")
}

// link builds one program of this source.
func (l *lab) link(out, pkg, version, flags string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stamped+version+flags, "-o", out, pkg)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("link %s %s: %w\n%s", pkg, version, err, text)
	}
	return nil
}

// do runs ssm-setup to its end.
func (l *lab) do(args ...string) error {
	cmd := exec.Command(l.tool, args...)
	var said bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = l.env, l.dir, &said, &said
	started := make(chan error)
	l.starts <- func() { started <- cmd.Start() }
	err := <-started
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return fmt.Errorf("ssm-setup %s: %w\n%s", args[0], err, said.Bytes())
	}
	return nil
}

// begin starts what it gets on one thread, which no tracer ever has: a tracer waits for all children of its thread.
func begin(starts <-chan func()) {
	runtime.LockOSThread()
	for start := range starts {
		start()
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
