package pack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// module is the name of the source tree that builds are made from.
const module = "github.com/ssm-setup/ssm-setup"

// ErrNoSource says that no folder upward holds this project's go.mod.
var ErrNoSource = errors.New("not in the source tree of " + module)

// Source finds the source tree that dir lies in.
func Source(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && moduleOf(string(b)) == module {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", ErrNoSource
		}
		dir = up
	}
}

func moduleOf(gomod string) string {
	for line := range strings.Lines(gomod) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

// Compile builds programs for one platform from a source tree into a folder: static, stripped, without paths and without
// the state of the checkout, stamped with the version. What go says goes to log.
func Compile(ctx context.Context, source string, v manifests.Version, p Platform, programs []string, into string, log io.Writer) error {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	mark := "-X " + module + "/installer/stamp.mark=ssm-setup-version=" + v.String()
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w " + mark, "-o", into + string(filepath.Separator)}
	for _, name := range programs {
		args = append(args, "./cmd/"+name)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "GOEXPERIMENT=", "GOOS="+p.OS, "GOARCH="+p.Arch,
		"GOAMD64=v1", "GO386=sse2", "GOARM=6", "GOARM64=v8.0")
	var said tail
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log, &said), io.MultiWriter(log, &said)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("go build for %s: %w\n%s", p, err, said.text())
	}
	return nil
}

// tail keeps the end of what was written.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 4096 {
		t.b = t.b[len(t.b)-4096:]
	}
	return len(p), nil
}

func (t *tail) text() string { return strings.TrimSpace(string(t.b)) }

// fixedTime is used where neither the environment nor a commit gives a time: 2025-01-01.
var fixedTime = time.Unix(1735689600, 0).UTC()

// Epoch is the time every packed entry gets: SOURCE_DATE_EPOCH, else the time of the source's last commit, else a fixed one.
// source may be empty.
func Epoch(env, source string) (time.Time, error) {
	if env != "" {
		n, err := strconv.ParseInt(env, 10, 64)
		if err != nil || n < 0 || n > 1<<32-1 {
			return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q is not a count of seconds since 1970", env)
		}
		return time.Unix(n, 0).UTC(), nil
	}
	if source == "" {
		return fixedTime, nil
	}
	out, err := exec.Command("git", "-C", source, "log", "-1", "--format=%ct").Output()
	if err != nil {
		return fixedTime, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return fixedTime, nil
	}
	return time.Unix(n, 0).UTC(), nil
}
