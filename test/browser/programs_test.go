//go:build boot || integration

package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stamped is what every program is linked with, before its version.
const stamped = "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// link builds one program with a version in it.
func link(t *testing.T, out, pkg, version string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stamped+version, "-o", out, pkg)
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("link %s %s: %v\n%s", pkg, version, err, b)
	}
}

// region is `ssm-setup local` in a process of its own.
type region struct {
	t       *testing.T
	dir     string // scratch: bin, data, releases
	process *os.Process

	URL, Credentials, Console, Data string
}

// startRegion builds the tool and serves a region.
func startRegion(t *testing.T) *region {
	t.Helper()
	dir, err := os.MkdirTemp("", "ssm-setup-browser-") // short: sockets of a browser's profile lie below it
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	r := &region{t: t, dir: dir}
	link(t, r.tool(), "./cmd/ssm-setup", "9.1.0.0")
	cmd := r.command("local", "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--json")
	out, err := cmd.StdoutPipe()
	must(t, err)
	var said bytes.Buffer
	cmd.Stderr = &said
	must(t, cmd.Start())
	r.process = cmd.Process
	t.Cleanup(func() {
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		if err := cmd.Wait(); err != nil {
			t.Errorf("the region ended with %v\n%s", err, said.String())
		}
	})
	var ready struct{ URL, Credentials, Console, Data string }
	must(t, json.NewDecoder(bufio.NewReader(out)).Decode(&ready))
	r.URL, r.Credentials, r.Console, r.Data = ready.URL, ready.Credentials, ready.Console, ready.Data
	return r
}

func (r *region) tool() string { return filepath.Join(r.dir, "bin", "ssm-setup") }

// command is the tool with a home of its own and none of the machine's credentials.
func (r *region) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.tool(), args...)
	cmd.Dir, cmd.Env = r.dir, r.environment()
	return cmd
}

func (r *region) environment() []string {
	return append(os.Environ(), "HOME="+r.dir, "PATH="+filepath.Dir(r.tool())+string(os.PathListSeparator)+os.Getenv("PATH"),
		"AWS_SHARED_CREDENTIALS_FILE="+r.Credentials, "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
}

func (r *region) run(args ...string) string {
	r.t.Helper()
	var stderr bytes.Buffer
	cmd := r.command(args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("ssm-setup %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// link is a one-time address of the console.
func (r *region) link() string { return r.run("console", "--data", r.Data) }

// publish builds a release out of this source and publishes it.
func (r *region) publish(version string) {
	r.t.Helper()
	bin, out := filepath.Join(r.dir, "parts", version), filepath.Join(r.dir, "releases", version)
	link(r.t, filepath.Join(bin, "amazon-ssm-agent"), "./cmd/amazon-ssm-agent", version)
	link(r.t, filepath.Join(bin, "ssm-agent-worker"), "./cmd/ssm-agent-worker", version)
	build := r.command("build", "--version", version, "--bin", bin, "--only", "tar", "--platform",
		runtime.GOOS+"/"+runtime.GOARCH, "--out", out)
	source, err := filepath.Abs("../..")
	must(r.t, err)
	build.Dir = source
	if b, err := build.CombinedOutput(); err != nil {
		r.t.Fatalf("build %s: %v\n%s", version, err, b)
	}
	r.run("publish", "--from", out, "--region", "local", "--endpoint", r.URL)
}

// long is the most that anything here is waited for.
const long = 4 * time.Minute

// shell runs a line as a person types it.
func (r *region) shell(line string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = r.dir, r.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}
