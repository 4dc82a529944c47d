package pack_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// stamped builds a tiny stamped program for linux/amd64 under the names of the host binaries.
func stamped(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	os.WriteFile(source, []byte("package main\nimport \"github.com/ssm-setup/ssm-setup/installer/stamp\"\n"+
		"func main() { println(stamp.Version()) }\n"), 0o600)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags",
		"-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="+version, "-o", filepath.Join(dir,
			pack.Launcher), source)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, pack.Launcher))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pack.Worker), b, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOnlyProgramsOfThePlatformAndVersionArePacked(t *testing.T) {
	bin := stamped(t, "9.4.0.0")
	v := manifests.MustVersion("9.4.0.0")
	host := []string{pack.Launcher, pack.Worker}
	for name, c := range map[string]struct {
		in       pack.Input
		programs []string
		want     error
	}{
		"good":           {pack.Input{Version: v, Platform: amd64, Bin: bin}, host, nil},
		"other platform": {pack.Input{Version: v, Platform: pack.Platform{OS: "linux", Arch: "arm64"}, Bin: bin}, host, pack.ErrPlatform},
		"other version":  {pack.Input{Version: manifests.MustVersion("9.5.0.0"), Platform: amd64, Bin: bin}, host, pack.ErrVersion},
		"missing":        {pack.Input{Version: v, Platform: amd64, Bin: bin}, []string{pack.Setup}, pack.ErrNoBinary},
		"no program":     {pack.Input{Version: v, Platform: amd64, Bin: bin}, []string{"main.go"}, pack.ErrPlatform},
	} {
		if err := pack.Check(c.in, c.programs); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
