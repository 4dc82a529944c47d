package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// module is the name of the source tree that builds are made from.
const module = "github.com/ssm-setup/ssm-setup"

// ErrNoSource says that no folder upward holds this project's go.mod.
var ErrNoSource = fault.New(fault.Usage, "not in the source tree of "+module,
	"run it in the source tree, name the tree with --source, or pack binaries with --bin")

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
	out, err := exec.Command("git", "-C", source, "log", "-1", "--format=%ct").Output() //nolint:noctx // git answers from this disk
	if err != nil {
		return fixedTime, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return fixedTime, nil
	}
	return time.Unix(n, 0).UTC(), nil
}
