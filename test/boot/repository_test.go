//go:build boot && linux

package boot_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// offer publishes a version; key signs the metadata.
func offer(t *testing.T, r *local.Region, version, key string) {
	t.Helper()
	changeRegion(t, r, "publish", "--from", filepath.Join(dist, version), "--sign-pgp-key", key)
}

// changeRegion runs a verb of ssm-setup that changes the region, later than what was changed before: clients ask whether a list
// is younger than theirs, in whole seconds.
func changeRegion(t *testing.T, r *local.Region, args ...string) {
	t.Helper()
	r.Advance(2 * time.Second)
	cmd := exec.Command(filepath.Join(dist, "ssm-setup"), append(args, "--region", "local", "--endpoint", r.URL())...)
	cmd.Env = append(os.Environ(), "AWS_SHARED_CREDENTIALS_FILE="+r.CredentialsFile(), "AWS_EC2_METADATA_DISABLED=true")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// put writes a file inside the machine.
func (m *machine) put(path, text string) {
	m.t.Helper()
	must(m.t, os.MkdirAll(filepath.Dir(filepath.Join(m.root, path)), 0o755))
	must(m.t, writeFile(filepath.Join(m.root, path), []byte(text), 0o644))
}

func (m *machine) agentSays(version string) {
	m.t.Helper()
	if got := strings.TrimSpace(m.run("amazon-ssm-agent", "-version")); got != "SSM Agent version: "+version {
		m.t.Errorf("the agent says %q, not %s", got, version)
	}
}

// get reads an object that must be there.
func get(t *testing.T, r *local.Region, key string) []byte {
	t.Helper()
	b, err := r.Get(key)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return b
}

// spoiled changes an object of a region while something is tried, and puts it back.
func spoiled(t *testing.T, r *local.Region, key string, change func([]byte) []byte, try func()) {
	t.Helper()
	good := get(t, r, key)
	must(t, r.Put(key, change(bytes.Clone(good))))
	try()
	must(t, r.Put(key, good))
}

// flip changes one byte in the middle.
func flip(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

// refused runs a command that must fail and say why.
func (m *machine) refused(why, line string) {
	m.t.Helper()
	out, err := m.try("sh", "-c", line)
	if err == nil || !strings.Contains(out, why) {
		m.t.Errorf("%s: %v, and it does not say %q\n%s", line, err, why, out)
	}
}

// forged copies a release, changes one of its files, and makes everything that states the file's hash and size agree: what
// a person with the region's key, but not the packages' key, could publish.
func forged(t *testing.T, version, file string, change func(path string)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), version)
	must(t, os.CopyFS(dir, os.DirFS(filepath.Join(dist, version))))
	describe := func() (string, string) {
		b, err := os.ReadFile(filepath.Join(dir, file))
		must(t, err)
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:]), fmt.Sprint(len(b))
	}
	sum, size := describe()
	change(filepath.Join(dir, file))
	newSum, newSize := describe()
	for _, name := range []string{"manifest.json", "SHA256SUMS"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		text := strings.NewReplacer(sum, newSum, size, newSize).Replace(string(b))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

// hostRun runs a program of the host that must work.
func hostRun(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
