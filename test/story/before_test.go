//go:build unix

package story_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// before is the commit whose hosts and regions this build has to go on with.
const before = "46a3aad35054d2704bbd836348a7faf6ff4ced4b"

// beforeReleases are releases of that commit. They are older than every release of this build.
var beforeReleases = []struct{ version, worker, flags string }{
	{"9.0.1.0", "./cmd/ssm-agent-worker", ""},
	{"9.0.2.0", "./cmd/ssm-agent-worker", ""},
	{"9.0.3.0", "./test/broken", " -X main.how=exit"},
}

// hasHistory tells whether this clone has the commit.
func hasHistory() bool {
	cmd := exec.Command("git", "-c", "safe.directory=*", "cat-file", "-e", before+"^{commit}")
	cmd.Dir = sourceTree()
	return cmd.Run() == nil
}

// buildBefore makes the programs and releases of that commit, once for all scripts: <dir>/bin/ssm-setup, <dir>/parts/<version>,
// <dir>/releases/<version>.
var buildBefore = sync.OnceValues(func() (dir string, err error) {
	dir = filepath.Join(built, "before")
	source := filepath.Join(dir, "source")
	if err := os.MkdirAll(source, 0o755); err != nil {
		return "", err
	}
	unpack := exec.Command("sh", "-c", `git -c safe.directory='*' archive "$0" | tar -x -C "$1"`, before, source)
	unpack.Dir = sourceTree()
	if out, err := unpack.CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack %s: %w\n%s", before, err, out)
	}
	tool := filepath.Join(dir, "bin", "ssm-setup")
	if err := linkIn(source, tool, "./cmd/ssm-setup", "9.0.1.0", ""); err != nil {
		return "", err
	}
	for _, r := range beforeReleases {
		parts := filepath.Join(dir, "parts", r.version)
		err := errors.Join(linkIn(source, filepath.Join(parts, "amazon-ssm-agent"), "./cmd/amazon-ssm-agent", r.version, ""),
			linkIn(source, filepath.Join(parts, "ssm-agent-worker"), r.worker, r.version, r.flags))
		if err != nil {
			return "", err
		}
		pack := exec.Command(tool, "build", "--version", r.version, "--bin", parts, "--only", "tar", "--platform",
			runtime.GOOS+"/"+runtime.GOARCH, "--out", filepath.Join(dir, "releases", r.version))
		pack.Dir = source
		if out, err := pack.CombinedOutput(); err != nil {
			return "", fmt.Errorf("pack %s: %w\n%s", r.version, err, out)
		}
	}
	return dir, nil
})

// prepareBefore builds that commit; OLD becomes the folder of what it made.
func prepareBefore(ts *testscript.TestScript, _ *story, _ []string) {
	dir, err := buildBefore()
	ts.Check(err)
	ts.Setenv("OLD", dir)
}

// regionBefore runs that commit's `ssm-setup local` on a data folder of the script.
func regionBefore(ts *testscript.TestScript, s *story, _ []string) {
	cmd := exec.Command(filepath.Join(ts.Getenv("OLD"), "bin", "ssm-setup"), "local", "--json", "--data", filepath.Join(s.work,
		"region-local"),
		"--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"))
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	s.earlier = cmd
	ts.Defer(func() { s.endEarlier() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	ts.Check(err)
	var ready struct{ URL, Credentials string }
	ts.Check(json.Unmarshal(line, &ready))
	s.connect(ts, "local", ready.URL, ready.Credentials)
}

// endEarlier ends that commit's region.
func (s *story) endEarlier() {
	if s.earlier == nil {
		return
	}
	_ = s.earlier.Process.Signal(syscall.SIGTERM)
	_ = s.earlier.Wait()
	s.earlier = nil
}

// regionTakeOver ends that region; this build opens its data folder at the same address.
func regionTakeOver(ts *testscript.TestScript, s *story, _ []string) {
	s.endEarlier()
	address, err := url.Parse(ts.Getenv("ENDPOINT"))
	ts.Check(err)
	r, err := local.Open(local.Options{Data: filepath.Join(s.work, "region-local"), Name: "local", NoSync: true, Record: true,
		Listen: address.Host})
	ts.Check(err)
	s.region = r
	s.connect(ts, "local", r.URL(), r.CredentialsFile())
}

// knowsCommands checks that the region lists a number of commands to the instance, all of them ended.
func knowsCommands(ts *testscript.TestScript, s *story, args []string) {
	out, err := s.client.ListCommands(context.Background(), &ssm.ListCommandsInput{InstanceId: s.node(ts).InstanceId})
	ts.Check(err)
	if len(args) != 1 || args[0] != fmt.Sprint(len(out.Commands)) {
		ts.Fatalf("the region knows %d commands, not %v", len(out.Commands), args)
	}
	for _, c := range out.Commands {
		if c.TargetCount != 1 || c.CompletedCount != 1 {
			ts.Fatalf("command %s: %d of %d ended", aws.ToString(c.CommandId), c.CompletedCount, c.TargetCount)
		}
	}
}
