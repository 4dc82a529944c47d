//go:build integration

package build_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// The whole of a release, built twice from the same source: in another folder with other times, as another host, account, time
// zone and language, under another umask, with one processor and with everything around that could lead go astray. Names, modes
// and bytes of all files are the same. Neither is told a time: it is that of the commit.
func TestTheSameSourceGivesTheSameBytes(t *testing.T) {
	source, err := build.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	other := filepath.Join(work, "another", "folder")
	run(t, "git", "clone", "-q", "--no-local", source, other)
	copySource(t, source, other)
	remote, _ := exec.Command("git", "-C", source, "config", "--get", "remote.origin.url").Output() // where there is one, both name it
	run(t, "git", "-C", other, "config", "remote.origin.url", strings.TrimSpace(string(remote)))
	run(t, "find", other, "-exec", "touch", "-h", "-d", "2001-02-03 04:05:06", "{}", "+")
	if err := os.MkdirAll(filepath.Join(other, "vendor"), 0o755); err != nil { // what go vendors is not what go.sum names
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "vendor", "modules.txt"), []byte("# golang.org/x/sys v0.0.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tool := filepath.Join(work, "ssm-setup")
	cmd := exec.Command("go", "build", "-trimpath", "-o", tool, "./cmd/ssm-setup")
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	build := func(source, out, prepare string, env ...string) map[string]string {
		cmd := exec.Command("unshare", "--uts", "sh", "-c", prepare+` && exec "$@"`, "sh", tool, "build", "--version", "9.1.0.0", "--source",
			source, "--out", out)
		cmd.Dir = work
		cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
			return strings.HasPrefix(v, "SOURCE_")
		}), env...)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		return contents(t, filepath.Join(out, "9.1.0.0"))
	}
	for _, name := range []string{"tmp", "settings"} {
		if err := os.Mkdir(filepath.Join(work, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	settings := filepath.Join(work, "settings", "env")
	if err := os.WriteFile(settings, []byte("GOFLAGS=-tags=written\nGOAMD64=v3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := build(source, filepath.Join(work, "one"), "umask 022 && hostname first.example", "TZ=UTC", "LANG=C", "GOFLAGS=",
		"HOSTNAME=first.example")
	second := build(other, filepath.Join(work, "a", "deeper", "two"), "umask 077 && hostname second.example", "TZ=Asia/Tokyo",
		"LANG=de_DE.UTF-8", "LC_ALL=C.UTF-8",
		"HOSTNAME=second.example", "USER=other", "LOGNAME=other", "EMAIL=other@example.com", "GOMAXPROCS=1", "TMPDIR="+filepath.Join(work, "tmp"),
		"GOENV="+settings, "GOFLAGS=-tags=other -race", "GOAMD64=v3", "GO386=softfloat", "GOARM=7", "GOARM64=v9.0", "GOEXPERIMENT=arenas",
		"GOROOT_FINAL=/elsewhere",
		"GOWORK=/nowhere/go.work", "GOTOOLCHAIN=local", "GOFIPS140=latest", "CGO_ENABLED=1", "CGO_CFLAGS=-O0")
	for name, sum := range first {
		if second[name] != sum {
			t.Errorf("%s: %q and %q", name, sum, second[name])
		}
	}
	artifacts := 0
	for _, p := range pack.Platforms() {
		for _, f := range pack.Formats() {
			if file := f.File(p); file != "" {
				artifacts++
				if first[file] == "" {
					t.Errorf("there is no %s", file)
				}
			}
		}
	}
	if len(first) != len(second) || len(first) <= artifacts {
		t.Errorf("%d and %d files, %d of them artifacts", len(first), len(second), artifacts)
	}
}

// contents are the files of a folder with their modes and sums.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	list := map[string]string{}
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		list[e.Name()] = fmt.Sprintf("%v %x", info.Mode(), sha256.Sum256(b))
	}
	return list
}

func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", args[0], err, out)
	}
}

// A full disk is told as one, and leaves nothing.
func TestAFullDiskIsToldAndLeavesNothing(t *testing.T) {
	work := t.TempDir()
	tool := filepath.Join(work, "ssm-setup")
	run(t, "go", "build", "-trimpath", "-o", tool, "../../cmd/ssm-setup")
	bin := filepath.Join(work, "bin")
	if err := os.Rename(stamped(t, "9.4.0.0"), bin); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(work, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--mount", "sh", "-c",
		`mount -t tmpfs -o size=256k tmpfs "$2" && "$1" build --bin "$3" --out "$2"; echo "code $?"; ls -A "$2"`,
		"sh", tool, out, bin)
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(said), "error: cannot build version 9.4.0.0: ") &&
		!strings.Contains(string(said), "\nerror: cannot build version 9.4.0.0: ") ||
		!strings.Contains(string(said), "\nhint: free some space") || !strings.HasSuffix(string(said), "code 10\n") {
		t.Errorf("%v\n%s", err, said)
	}
}

// copySource copies the files under version control, without the repository.
func copySource(t *testing.T, from, to string) {
	t.Helper()
	list, err := exec.Command("git", "-C", from, "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(list)) {
		in, err := os.Open(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, err = io.Copy(&b, in)
		in.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(to, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The original's targets and `ssm-setup build` give the same bytes of one commit, for each system.
func TestTheOriginalsTargetsAndTheToolGiveTheSameBytes(t *testing.T) {
	source, err := build.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	other := filepath.Join(work, "tree")
	run(t, "git", "clone", "-q", "--no-local", source, other)
	copySource(t, source, other)
	run(t, "find", filepath.Join(other, "scripts"), "-name", "*.sh", "-exec", "chmod", "755", "{}", "+")
	run(t, "env", "-u", "SOURCE_DATE_EPOCH", "make", "-C", other, "VERSION=9.1.0.0", "package-deb", "package-rpm", "package-win")
	run(t, "env", "-u", "SOURCE_DATE_EPOCH", filepath.Join(other, "bin", "ssm-setup"), "build", "--version", "9.1.0.0", "--source", other,
		"--platform", "linux/amd64", "--platform", "windows/amd64", "--only", "deb,rpm,msi,exe", "--out", filepath.Join(work, "out"))
	for theirs, ours := range map[string]string{
		"debian_amd64/amazon-ssm-agent.deb":     "amazon-ssm-agent-debian-amd64.deb",
		"linux_amd64/amazon-ssm-agent.rpm":      "amazon-ssm-agent-linux-amd64.rpm",
		"windows_amd64/amazon-ssm-agent.msi":    "amazon-ssm-agent-windows-amd64.msi",
		"windows_amd64/AmazonSSMAgentSetup.exe": "AmazonSSMAgentSetup-windows-amd64.exe",
	} {
		a, errA := os.ReadFile(filepath.Join(other, "bin", theirs))
		b, errB := os.ReadFile(filepath.Join(work, "out", "9.1.0.0", ours))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %d and %d bytes, %v, %v", theirs, len(a), len(b), errA, errB)
		}
	}
}
