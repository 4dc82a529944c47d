package build_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// complete is a plan for all formats of linux/amd64, of small programs that say 9.4.0.0.
func complete(t *testing.T) build.Plan {
	t.Helper()
	bin := stamped(t, "9.4.0.0")
	program, err := os.ReadFile(filepath.Join(bin, pack.Launcher))
	if err != nil {
		t.Fatal(err)
	}
	for name, more := range map[string]int{pack.Worker: 1000, pack.Setup: 2000} { // sizes tell them apart
		if err := os.WriteFile(filepath.Join(bin, name), append(slices.Clone(program), make([]byte, more)...), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return build.Plan{Version: manifests.MustVersion("9.4.0.0"), Platforms: []pack.Platform{amd64}, Formats: pack.Formats(), Bin: bin,
		Out: filepath.Join(t.TempDir(), "new", "dist"), Time: time.Unix(1700000000, 0)}
}

// Each file is made once, also where others carry it, and what is compressed already is carried as it is.
func TestPayloadsAreCompressedOnce(t *testing.T) {
	plan := complete(t)
	var mu sync.Mutex
	times, read := map[string]int{}, map[string]int64{}
	plan.Observer.Making = func(file string) func(done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		times[file]++
		return func(done, total int64) {
			mu.Lock()
			defer mu.Unlock()
			read[file] = done
		}
	}
	told := 0
	plan.Observer.Made = func(pack.Artifact) { told++ }
	made, err := build.Build(t.Context(), plan)
	if err != nil || told != len(made) {
		t.Fatalf("%d told, %d made, %v", told, len(made), err)
	}
	size := map[string]int64{}
	for _, name := range []string{pack.Launcher, pack.Worker, pack.Setup} {
		info, err := os.Stat(filepath.Join(plan.Bin, name))
		if err != nil {
			t.Fatal(err)
		}
		size[name] = info.Size()
	}
	for _, a := range made {
		size[a.Format] = a.Size
		if times[a.File] != 1 {
			t.Errorf("%s was made %d times", a.File, times[a.File])
		}
	}
	for _, c := range []struct{ file, of string }{
		{"amazon-ssm-agent-portable-linux-amd64.tar.gz", "amazon-ssm-agent ssm-agent-worker"},
		{"ssm-setup-linux-amd64", "ssm-setup"},
		{"amazon-ssm-agent-linux-amd64.tar.gz", "rpm"},
		{"amazon-ssm-agent-ubuntu-amd64.tar.gz", "deb"},
		{"amazon-ssm-agent-updater-linux-amd64.tar.gz", "ssm-agent-worker"},
		{"amazon-ssm-agent-updater-ubuntu-amd64.tar.gz", "updater"},
		{"amazon-ssm-agent-updater-snap-amd64.tar.gz", "updater"},
	} {
		var want int64
		for _, part := range strings.Fields(c.of) {
			want += size[part]
		}
		if read[c.file] != want {
			t.Errorf("%s was made of %d bytes, %s has %d", c.file, read[c.file], c.of, want)
		}
	}
}

// An artifact that the plan does not name is made for the one that embeds it, once for all, and does not lie in the result.
func TestAnArtifactThatIsOnlyEmbeddedIsNotInTheResult(t *testing.T) {
	plan := complete(t)
	var err error
	if plan.Formats, err = pack.ParseFormats([]string{"update-ubuntu", "updater-ubuntu", "updater-snap"}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	times := map[string]int{}
	plan.Observer.Making = func(file string) func(done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		times[file]++
		return func(int64, int64) {}
	}
	if _, err := build.Build(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if times["amazon-ssm-agent-debian-amd64.deb"] != 1 || times["amazon-ssm-agent-updater-linux-amd64.tar.gz"] != 1 {
		t.Errorf("%v", times)
	}
	golden(t, names(t, plan.Dir()), `
SHA256SUMS
amazon-ssm-agent-ubuntu-amd64.tar.gz
amazon-ssm-agent-updater-snap-amd64.tar.gz
amazon-ssm-agent-updater-ubuntu-amd64.tar.gz
manifest.json
`)
}

// Whatever goes wrong, and when: --out is as it was.
func TestAFailedBuildLeavesNothing(t *testing.T) {
	full := func(pack.Input) error { return syscall.ENOSPC }
	late := func(io.Reader) ([]byte, error) { return nil, syscall.ENOSPC } // others are made by then
	for name, spoil := range map[string]func(*build.Plan){
		"inspected": func(p *build.Plan) { p.Inspect = full },
		"signed":    func(p *build.Plan) { p.Signing.OpenPGP = late },
		"worker":    func(p *build.Plan) { os.Remove(filepath.Join(p.Bin, pack.Worker)) },
	} {
		plan := complete(t)
		spoil(&plan)
		if _, err := build.Build(t.Context(), plan); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(filepath.Dir(plan.Out)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a folder stayed: %v", name, err)
		}
		if err := os.MkdirAll(plan.Dir(), 0o755); err != nil {
			t.Fatal(err)
		}
		before := filepath.Join(plan.Dir(), "amazon-ssm-agent-debian-amd64.deb")
		if err := os.WriteFile(before, []byte("of before"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := build.Build(t.Context(), plan); err == nil {
			t.Errorf("%s: no error", name)
		}
		b, err := os.ReadFile(before)
		if all := append(names(t, plan.Out), names(t, plan.Dir())...); len(all) != 2 || string(b) != "of before" || err != nil {
			t.Errorf("%s: %v, %.20q, %v", name, all, b, err)
		}
	}
}

// A signature does not outlive the file it was made for.
func TestASignatureDoesNotOutliveItsFile(t *testing.T) {
	plan := complete(t)
	plan.Formats = []pack.Format{format(t, "tar"), format(t, "deb")}
	if err := os.MkdirAll(plan.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"amazon-ssm-agent-debian-amd64.deb.sig", "something.else.sig"} {
		if err := os.WriteFile(filepath.Join(plan.Dir(), name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := build.Build(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	golden(t, names(t, plan.Dir()), `
SHA256SUMS
amazon-ssm-agent-debian-amd64.deb
amazon-ssm-agent-portable-linux-amd64.tar.gz
manifest.json
something.else.sig
`)
}

// Without ssm-setup among the binaries, what is made of it is left out where that is allowed.
func TestWhatMissingOptionalProgramsMakeIsLeftOut(t *testing.T) {
	plan := complete(t)
	if err := os.Remove(filepath.Join(plan.Bin, pack.Setup)); err != nil {
		t.Fatal(err)
	}
	if _, err := build.Build(t.Context(), plan); !errors.Is(err, pack.ErrNoBinary) {
		t.Errorf("%v", err)
	}
	plan.Optional = []string{pack.Setup, pack.Carrier}
	made, err := build.Build(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range made {
		if a.Format == "setup" || a.Format == "greengrass" {
			t.Errorf("%s was made", a.File)
		}
	}
	if i := slices.IndexFunc(made, func(a pack.Artifact) bool { return a.Format == "deb" }); i < 0 {
		t.Errorf("no deb among %v", made)
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		list = append(list, e.Name())
	}
	return list
}
