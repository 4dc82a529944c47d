//go:build integration && unix

package guides_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// programs is the folder of the programs, compiled once: ssm-setup and, in parts/, what a host has; in more/ that of two further versions,
// of which 9.3.0.0 does not run.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ssm-setup-guides-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	const stamped = "-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="
	for _, p := range []struct{ file, version, source string }{
		{"ssm-setup", "9.1.0.0", "./cmd/ssm-setup"},
		{"parts/amazon-ssm-agent", "9.1.0.0", "./cmd/amazon-ssm-agent"}, {"parts/ssm-agent-worker", "9.1.0.0", "./cmd/ssm-agent-worker"},
		{"more/9.2.0.0/amazon-ssm-agent", "9.2.0.0", "./cmd/amazon-ssm-agent"},
		{"more/9.2.0.0/ssm-agent-worker", "9.2.0.0", "./cmd/ssm-agent-worker"},
		{"more/9.3.0.0/amazon-ssm-agent", "9.3.0.0", "./cmd/amazon-ssm-agent"},
		{"more/9.3.0.0/ssm-agent-worker", "9.3.0.0 -X main.how=exit", "./test/broken"},
	} {
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", stamped+p.version, "-o", filepath.Join(dir, p.file),
			p.source)
		build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("%w\n%s", err, out)
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil || dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// world is a local region, found by its name as one that `ssm-setup local` runs, with what scripts need beside it.
type world struct {
	dir, programs string
	region        *local.Region
	env           []string // of scripts
	signing       string   // key that releases are signed with; empty: they are not
}

// The bucket that stands for one of one's own: the one of a local region that may be read without credentials, as hosts do.
const (
	bucketOfMine = "amazon-ssm-local"
	sourceOfMine = "s3://amazon-ssm-{Region}"
)

// openWorld starts a region. Tests that have one wait most of the time, so they run beside each other, after those that have none.
func openWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	built, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ssm-setup-world-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{dir: dir, programs: built}
	if w.region, err = local.Open(local.Options{Data: filepath.Join(dir, "region"), NoSync: true, Record: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.region.Close() })
	home := filepath.Join(dir, "home")
	who := caller.Caller{Own: filepath.Join(home, ".config/ssm-setup"), Root: os.Geteuid() == 0, Getenv: os.Getenv}
	remove, err := who.Announce(caller.Running{Region: w.region.Name(), Endpoint: w.region.URL(), TLSEndpoint: w.region.TLSURL(),
		CA: w.region.CAFile(), Credentials: w.region.CredentialsFile()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	w.env = []string{"HOME=" + home, caller.HomeVariable + "=" + filepath.Join(home, ".config/ssm-setup"), "LANG=C.UTF-8", "LC_ALL=C.UTF-8",
		"PATH=" + built + string(os.PathListSeparator) + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1",
		"no_proxy=127.0.0.1", "REGION=local", "SSM_SETUP_SOURCE=" + sourceOfMine}
	return w
}

// run is a script in a folder of the world; what it prints comes back.
func (w *world) run(t *testing.T, dir, shell, script string, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shell, "-c", script)
	cmd.Dir, cmd.Env = dir, append(append([]string{}, w.env...), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return string(out)
}

// json is what a command prints on standard output.
func (w *world) json(t *testing.T, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(w.programs, "ssm-setup"), append([]string{"--json"}, args...)...)
	var errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = w.dir, append(append([]string{}, w.env...), env...), &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ssm-setup %v: %v\n%s%s", args, err, out, errs.String())
	}
	return out
}

// publishTool puts a release with ssm-setup itself into the bucket; it gives the address of the program there and its SHA-256.
func (w *world) publishTool(t *testing.T) (address, sum string) {
	t.Helper()
	w.run(t, w.dir, "sh", `ssm-setup build --version 9.1.0.0 --only tar,setup --platform `+platform()+` --bin "$PARTS" --out dist
ssm-setup publish --from dist --region local
ssm-setup promote --version 9.1.0.0 --region local`, "PARTS="+w.parts(t))
	text, err := os.ReadFile(filepath.Join(w.programs, "ssm-setup"))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(text)
	return w.region.URL() + "/" + bucketOfMine + "/latest/" + strings.ReplaceAll(platform(), "/", "_") + "/ssm-setup",
		hex.EncodeToString(digest[:])
}

// parts are the programs that `build --bin` packs, ssm-setup among them.
func (w *world) parts(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(w.dir, "parts")
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"ssm-setup", "parts/amazon-ssm-agent", "parts/ssm-agent-worker"} {
		if err := os.Link(filepath.Join(w.programs, p), filepath.Join(dir, filepath.Base(p))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// activation gives the two variables of a new activation.
func (w *world) activation(t *testing.T, hosts int) []string {
	t.Helper()
	id, code, err := w.region.CreateActivation(hosts)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"SSM_ACTIVATION_ID=" + id, "SSM_ACTIVATION_CODE=" + code}
}

// healthy fails unless the host below a folder is; it is removed at the end.
func (w *world) healthy(t *testing.T, root string) {
	t.Helper()
	if out := w.run(t, w.dir, "sh", `ssm-setup --json status --root "$ROOT"`, "ROOT="+root); !strings.Contains(out, `"healthy":true`) {
		t.Errorf("the host is not healthy: %s", out)
	}
}

// removeHost stops a host at the end of the test.
func (w *world) removeHost(t *testing.T, root string) {
	t.Helper()
	t.Cleanup(func() {
		cmd := exec.Command(filepath.Join(w.programs, "ssm-setup"), "uninstall", "--root", root, "--purge")
		cmd.Env = w.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("uninstall: %v\n%s", err, out)
		}
	})
}

// key is an OpenPGP key, private and public, armored.
func key(t *testing.T) (private, public string) {
	t.Helper()
	e, err := openpgp.NewEntity("Releases", "", "releases@example.org", &packet.Config{RSABits: 2048,
		Time: func() time.Time { return time.Now().Add(-time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	armored := func(kind string, write func(io.Writer) error) string {
		var b bytes.Buffer
		w, err := armor.Encode(&b, kind, nil)
		if err == nil {
			err = write(w)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	return armored(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivate(w, nil) }),
		armored(openpgp.PublicKeyType, e.Serialize)
}
