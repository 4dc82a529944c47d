//go:build unix

package detection_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// before is the commit of the earlier release.
const before = "46a3aad35054d2704bbd836348a7faf6ff4ced4b"

// stamped is what every program is linked with, before its version.
const stamped = "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="

// Versions of a pairing. The package is the floor of every root; the overlay is there where the updater is of other code.
const (
	packageVersion = "9.1.0.0"
	overlayVersion = "9.2.0.0"
	soundVersion   = "9.8.0.0"
)

// programs are the folders of what was built for a pairing.
type programs struct {
	dir, source, earlier string
	tool, floorTool      string   // ssm-setup of this source, and the one that installs the package
	releases             []string // folders to publish
}

// build makes the programs and releases of a pairing.
func build(dir string, p pairing, classes []class) (b programs, err error) {
	b = programs{dir: dir, source: source(), tool: filepath.Join(dir, "bin", "ssm-setup")}
	if err := link(b.source, b.tool, "./cmd/ssm-setup", packageVersion, ""); err != nil {
		return b, err
	}
	b.floorTool = b.tool
	floor, overlay := b.source, ""
	if p.launcher != p.updater {
		if b.earlier, err = history(filepath.Join(dir, "earlier")); err != nil {
			return b, err
		}
		if overlay = b.earlier; p.launcher == earlier {
			floor, overlay = b.earlier, b.source
			b.floorTool = filepath.Join(dir, "earlier-bin", "ssm-setup")
			if err := link(floor, b.floorTool, "./cmd/ssm-setup", "9.0.1.0", ""); err != nil {
				return b, err
			}
		}
	}
	if err := b.release(packageVersion, floor, floor, "./cmd/ssm-agent-worker", ""); err != nil {
		return b, err
	}
	if overlay != "" {
		if err := b.release(overlayVersion, overlay, overlay, "./cmd/ssm-agent-worker", ""); err != nil {
			return b, err
		}
	}
	if err := b.release(soundVersion, b.source, b.source, "./cmd/ssm-agent-worker", ""); err != nil {
		return b, err
	}
	for _, c := range classes {
		if c.how == "" {
			continue
		}
		if err := b.release(c.version, b.source, b.source, "./test/broken", " -X main.how="+c.how+" -X main.after="+c.after); err != nil {
			return b, err
		}
	}
	return b, nil
}

// release builds one and packs it.
func (b *programs) release(version, launcher, worker, pkg, flags string) error {
	parts, out := filepath.Join(b.dir, "parts", version), filepath.Join(b.dir, "releases", version)
	if err := link(launcher, filepath.Join(parts, "amazon-ssm-agent"), "./cmd/amazon-ssm-agent", version, ""); err != nil {
		return err
	}
	if err := link(worker, filepath.Join(parts, "ssm-agent-worker"), pkg, version, flags); err != nil {
		return err
	}
	cmd := exec.Command(b.tool, "build", "--version", version, "--bin", parts, "--only", "tar", "--platform", runtime.GOOS+"/"+runtime.GOARCH,
		"--out", out)
	cmd.Dir = b.source
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pack %s: %w\n%s", version, err, text)
	}
	b.releases = append(b.releases, out)
	return nil
}

// link builds one program of a source tree.
func link(tree, out, pkg, version, flags string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stamped+version+flags, "-o", out, pkg)
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("link %s %s: %w\n%s", pkg, version, err, text)
	}
	return nil
}

// history unpacks the earlier release's source.
func history(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("sh", "-c", `git -c safe.directory='*' archive "$0" | tar -x -C "$1"`, before, dir)
	cmd.Dir = source()
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack %s: %w\n%s", before, err, text)
	}
	return dir, nil
}

// source is this tree.
func source() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		return ""
	}
	return dir
}
