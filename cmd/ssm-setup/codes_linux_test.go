package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// codeWorld is what the runs below work with: a region, and a host with an agent that is not registered.
type codeWorld struct {
	region *local.Region
	host   string
	place  []string // --region and --endpoint
}

// codeRuns has for each exit code of the table a run of the real program that ends with it.
var codeRuns = map[int]func(t *testing.T, w codeWorld) said{
	0: func(t *testing.T, _ codeWorld) said { return realRun(t, "version") },
	1: func(t *testing.T, w codeWorld) said { return typedRun(t, "n\n", "uninstall", "--root", w.host) },
	2: func(t *testing.T, _ codeWorld) said { return realRun(t, "status", "--no-such-flag") },
	3: func(t *testing.T, _ codeWorld) said {
		return realRun(t, "regions", "--region", "local", "--endpoint", "http://127.0.0.1:1")
	},
	4: func(t *testing.T, _ codeWorld) said {
		sums := filepath.Join(t.TempDir(), "SHA256SUMS")
		must(t, os.WriteFile(sums, []byte(strings.Repeat("0", 64)+"  a\n"), 0o600))
		return realRun(t, "verify", "--require", sums)
	},
	5: func(t *testing.T, w codeWorld) said {
		return realRun(t, append([]string{"install", "--version", "9.7.0.0", "--root", filepath.Join(t.TempDir(), "new")}, w.place...)...)
	},
	6: func(t *testing.T, w codeWorld) said {
		dir := filepath.Join(t.TempDir(), "new")
		holdLock(t, dir)
		return realRun(t, append([]string{"install", "--root", dir}, w.place...)...)
	},
	7: func(t *testing.T, w codeWorld) said {
		dir := filepath.Join(t.TempDir(), "open")
		must(t, os.Mkdir(dir, 0o755))
		must(t, os.Chmod(dir, 0o777))
		return realRun(t, append([]string{"install", "--root", dir}, w.place...)...)
	},
	8: func(t *testing.T, w codeWorld) said {
		activate(t, w.region)
		t.Setenv(setup.ActivationCode, strings.Repeat("x", 20))
		return realRun(t, append([]string{"install", "--root", filepath.Join(t.TempDir(), "new")}, w.place...)...)
	},
	9:  brokenUpdate,
	10: fullDisk,
	11: func(t *testing.T, w codeWorld) said { return realRun(t, "status", "--check", "--root", w.host) },
	12: func(t *testing.T, _ codeWorld) said { return realRun(t, "status", "--check", "--root", t.TempDir()) },
	13: stopped,
	14: func(t *testing.T, _ codeWorld) said {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		must(t, err)
		defer full.Close()
		cmd := real(t, nil, "version")
		cmd.Stdout = full
		err = cmd.Run()
		return said{code: cmd.ProcessState.ExitCode(), err: fmt.Sprint(err)}
	},
	130: func(t *testing.T, w codeWorld) said { return typedRun(t, ctrlC, "uninstall", "--root", w.host) },
}

// Every exit code that is documented comes from a real run, and no run has another one.
func TestEveryExitCodeOfTheTableIsThatOfARealRun(t *testing.T) {
	r := published(t)
	w := codeWorld{r, root(t), []string{"--region", r.Name(), "--endpoint", r.URL()}}
	object(t, installInto(r, w.host))
	documented := map[int]bool{}
	for _, c := range codes() {
		documented[c.Code] = true
		t.Run(fmt.Sprint(c.Code), func(t *testing.T) {
			run, ok := codeRuns[c.Code]
			if !ok {
				t.Fatalf("no run ends with it: %s", c.Meaning)
			}
			if s := run(t, w); s.code != c.Code {
				t.Errorf("%+v", s)
			}
		})
	}
	for code := range codeRuns {
		if !documented[code] {
			t.Errorf("%d is not documented", code)
		}
	}
}

func realRun(t *testing.T, args ...string) said { return finish(t, real(t, nil, args...)) }

// typedRun answers the question that a run asks at a terminal.
func typedRun(t *testing.T, answer string, args ...string) said {
	s := atTerminal(t, 80, nil, args...)
	s.Await("[y/N] ")
	s.Type(answer)
	return said{code: s.End(), err: s.Written()}
}

// brokenUpdate updates to a version whose agent ends at its start.
func brokenUpdate(t *testing.T, w codeWorld) said {
	t.Helper()
	dir := root(t)
	activate(t, w.region)
	object(t, installInto(w.region, dir))
	must(t, config.Set(installer.At(dir).ConfigFile(), map[string]any{"Agent.UpdateWatchSeconds": 3}))
	bin, out := t.TempDir(), t.TempDir()
	mark := "-X " + stampMark + "=ssm-setup-version=9.3.0.0"
	for to, from := range map[string]string{"amazon-ssm-agent": "../amazon-ssm-agent", "ssm-agent-worker": "../../test/broken"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", mark+" -X main.how=exit", "-o", filepath.Join(bin, to), from)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	for _, args := range [][]string{{"build", "--bin", bin, "--only", "tar", "--out", out},
		append([]string{"publish", "--from", out}, w.place...)} {
		if s := ssmSetup(args...); s.code != 0 {
			t.Fatal(s)
		}
	}
	return realRun(t, "update", "--root", dir)
}

// fullDisk installs onto a disk that is too small.
func fullDisk(t *testing.T, w codeWorld) said {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root; CI runs this as root, too")
	}
	disk := filepath.Join(t.TempDir(), "disk")
	must(t, os.Mkdir(disk, 0o755))
	must(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "mode=0755,size=1m"))
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	return realRun(t, append([]string{"install", "--root", filepath.Join(disk, "host")}, w.place...)...)
}

// stopped asks for the state of an installation whose launcher was ended.
func stopped(t *testing.T, w codeWorld) said {
	t.Helper()
	dir := root(t)
	object(t, installInto(w.region, dir))
	paths := installer.At(dir).Pointer()
	pid, _ := launcher.Running(paths)
	must(t, syscall.Kill(pid, syscall.SIGTERM))
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_, one := launcher.Running(paths)
		if _, other := launcher.AgentRunning(paths); !one && !other {
			break
		}
	}
	return realRun(t, "status", "--check", "--root", dir)
}
