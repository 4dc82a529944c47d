//go:build unix

package story_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// built is the folder of what all scripts share: bin/ with ssm-setup, releases/<name>/ as `ssm-setup build` writes them.
var built string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	syscall.Umask(0o022) // scripts make folders of an installation themselves, and nothing is run from where others may write
	dir, err := os.MkdirTemp("", "ssm-setup-story-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	built = dir
	if err := build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// releases are made once: a sound worker under two version numbers, and the broken ones.
var releases = []struct{ name, version, broken, after string }{
	{"9.1.0.0", "9.1.0.0", "", ""},
	{"9.2.0.0", "9.2.0.0", "", ""},
	{"exit", "9.3.0.0", "exit", ""},
	{"exit-later", "9.4.0.0", "exit-later", "3"},
	{"late", "9.7.0.0", "exit-later", "20"},
	{"hang", "9.5.0.0", "hang", ""},
	{"mute", "9.6.0.0", "mute", ""},
}

func build(dir string) error {
	tool := filepath.Join(dir, "bin", "ssm-setup")
	if err := link(tool, "./cmd/ssm-setup", "9.1.0.0", "", ""); err != nil {
		return err
	}
	for _, r := range releases {
		bin := filepath.Join(dir, "parts", r.name)
		worker := "./cmd/ssm-agent-worker"
		if r.broken != "" {
			worker = "./test/broken"
		}
		if err := link(filepath.Join(bin, "amazon-ssm-agent"), "./cmd/amazon-ssm-agent", r.version, "", ""); err != nil {
			return err
		}
		if err := link(filepath.Join(bin, "ssm-agent-worker"), worker, r.version, r.broken, r.after); err != nil {
			return err
		}
		cmd := exec.Command(tool, "build", "--version", r.version, "--bin", bin, "--only", "tar", "--platform", runtime.GOOS+"/"+runtime.GOARCH,
			"--out", filepath.Join(dir, "releases", r.name))
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", r.name, err, out)
		}
	}
	return nil
}

// link builds one program with a version in it.
func link(out, pkg, version, how, after string) error {
	flags := ""
	if how != "" {
		flags += " -X main.how=" + how
	}
	if after != "" {
		flags += " -X main.after=" + after
	}
	return linkIn("../..", out, pkg, version, flags)
}

// stamped is what every program is linked with, before its version.
const stamped = "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="

// linkIn builds one program of a source tree.
func linkIn(source, out, pkg, version, flags string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stamped+version+flags, "-o", out, pkg)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("link %s %s: %w\n%s", pkg, version, err, b)
	}
	return nil
}

func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setup,
		Cmds:                commands,
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// condition knows [root]: the scripts run as root; [history]: this clone has the commit of before_test.go.
func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "history":
		return hasHistory(), nil
	}
	return false, fmt.Errorf("unknown condition %s", name)
}

// setup gives a script a home of its own and none of the machine's credentials.
func setup(e *testscript.Env) error {
	home := filepath.Join(e.WorkDir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	caches, err := goCaches()
	if err != nil {
		return err
	}
	other := "arm64"
	if runtime.GOARCH == other {
		other = "amd64"
	}
	e.Vars = append(e.Vars, caches...)
	e.Vars = append(e.Vars, "PARTS="+filepath.Join(built, "parts"), "PLATFORM="+runtime.GOOS+"/"+runtime.GOARCH,
		"OTHER="+runtime.GOOS+"/"+other, "SOURCE="+sourceTree())
	e.Vars = append(e.Vars,
		"PATH="+filepath.Join(built, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"HOME="+home, "SSM_SETUP_HOME="+filepath.Join(e.WorkDir, "settings"),
		"ROOT="+filepath.Join(e.WorkDir, "root"), "RELEASES="+filepath.Join(built, "releases"),
		"ARCHIVE="+manifests.PortableFile(runtime.GOOS, runtime.GOARCH), "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1",
		"no_proxy=127.0.0.1",
	)
	s := &story{work: e.WorkDir, root: filepath.Join(e.WorkDir, "root"), sent: map[string]string{}}
	e.Values[storyKey{}] = s
	e.Defer(s.end)
	return nil
}

// goCaches are the settings that let a script with a home of its own build without compiling everything anew.
func goCaches() ([]string, error) {
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		return nil, err
	}
	lines := strings.Fields(string(out))
	if len(lines) != 2 {
		return nil, fmt.Errorf("go env says %q", out)
	}
	return []string{"GOCACHE=" + lines[0], "GOMODCACHE=" + lines[1]}, nil
}

func sourceTree() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		return ""
	}
	return dir
}
