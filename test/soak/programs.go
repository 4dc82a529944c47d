//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// oldest is the commit of the earliest release whose hosts this build goes on with.
const oldest = "46a3aad35054d2704bbd836348a7faf6ff4ced4b"

// stamped is what every program is linked with, before its version.
const stamped = "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="

// Versions, in the order of their code.
var versions = [3]string{"9.0.1.0", "9.1.0.0", "9.2.0.0"}

// programs are what was built: ssm-setup of this source, and the releases.
type programs struct {
	tool     string
	releases [3]string // folders to publish
}

// build makes them. Each version is packed by this source's ssm-setup.
func build(dir, previous string) (p programs, err error) {
	source, err := filepath.Abs(top())
	if err != nil {
		return p, err
	}
	p.tool = filepath.Join(dir, "bin", "ssm-setup")
	if err := link(source, p.tool, "./cmd/ssm-setup", versions[2]); err != nil {
		return p, err
	}
	for i, commit := range [3]string{oldest, previous, ""} {
		tree := source
		if commit != "" {
			if tree, err = history(source, commit, filepath.Join(dir, fmt.Sprint("source-", i))); err != nil {
				return p, err
			}
		}
		parts := filepath.Join(dir, "parts", versions[i])
		for _, name := range []string{"amazon-ssm-agent", "ssm-agent-worker"} {
			if err := link(tree, filepath.Join(parts, name), "./cmd/"+name, versions[i]); err != nil {
				return p, err
			}
		}
		p.releases[i] = filepath.Join(dir, "releases", versions[i])
		if err := run(source, nil, p.tool, "build", "--version", versions[i], "--bin", parts, "--only", "tar",
			"--platform", runtime.GOOS+"/"+runtime.GOARCH, "--out", p.releases[i]); err != nil {
			return p, err
		}
	}
	return p, nil
}

// top is the folder of the source: where the program is run, or two above that where its test is.
func top() string {
	if _, err := os.Stat("go.mod"); err == nil {
		return "."
	}
	return filepath.Join("..", "..")
}

// link builds one program of a source tree.
func link(tree, out, pkg, version string) error {
	return run(tree, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stamped+version, "-o", out, pkg)
}

// history unpacks the source of a commit.
func history(source, commit, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, run(source, nil, "sh", "-ec", `git -c safe.directory='*' archive "$0" | tar -x -C "$1"`, commit, dir)
}

// run runs a program to its end.
func run(dir string, env []string, program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), args[0], err, text)
	}
	return nil
}
