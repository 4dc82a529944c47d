package trust_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// byGoTUF is go-tuf's verdict on a region, of which the host has seen nothing but the root.
func byGoTUF(tr *tree) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panics: %v", p) // on keys of a wrong length
		}
	}()
	trusted, err := trustedmetadata.New(tr.objects["trust/1.root.json"])
	if err != nil {
		return err
	}
	trusted.RefTime = today
	for n := trusted.Root.Signed.Version + 1; ; n++ {
		next, there := tr.objects[fmt.Sprintf("trust/%d.root.json", n)]
		if !there {
			break
		}
		if _, err := trusted.UpdateRoot(next); err != nil {
			return err
		}
	}
	if _, err := trusted.UpdateTimestamp(tr.objects["trust/timestamp.json"]); err != nil {
		return err
	}
	snap := trusted.Timestamp.Signed.Meta["snapshot.json"].Version
	if _, err := trusted.UpdateSnapshot(tr.objects[fmt.Sprintf("trust/%d.snapshot.json", snap)], false); err != nil {
		return err
	}
	targets := trusted.Snapshot.Signed.Meta["targets.json"]
	if targets == nil {
		return fmt.Errorf("no targets")
	}
	_, err = trusted.UpdateTargets(tr.objects[fmt.Sprintf("trust/%d.targets.json", targets.Version)])
	return err
}

// What this room accepts of a region with a bit, a byte or a piece changed, go-tuf accepts; what it finds too old, mixed or expired, go-tuf
// refuses, too.
func TestRandomChangesOfATreeGetTheVerdictOfGoTUF(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	good := newTree(t)
	good.nextRoot(func() { good.rotate("root"); good.addKey("root", newECDSA(t)) })
	good.nextRoot(func() { good.rotate("targets"); good.root.Signed.Roles["root"].Threshold = 2 })
	good.release()
	names := []string{"trust/1.root.json", "trust/2.root.json", "trust/3.root.json", "trust/timestamp.json", "trust/2.snapshot.json",
		"trust/2.targets.json"}
	all := good.copy()
	accepted := 0
	for range 500 {
		good.objects = all
		good.objects = good.copy()
		name := names[random.IntN(len(names))]
		b := []byte(strings.Clone(string(all[name])))
		at := random.IntN(len(b))
		switch random.IntN(5) {
		case 0:
			b[at] ^= 1 << random.IntN(7)
		case 1:
			b = append(b[:at], b[min(len(b), at+1+random.IntN(20)):]...)
		case 2:
			b = append(b[:at:at], append([]byte(" "), b[at:]...)...)
		case 3:
			b[at] = "0123456789abcdef\",:{}"[random.IntN(21)]
		case 4:
			b = all[names[random.IntN(len(names))]]
		}
		good.objects[name] = b
		theirs := byGoTUF(good)
		_, ours := good.refresh(good.state())
		if ours == nil {
			accepted++
		}
		if ours == nil && theirs != nil {
			t.Fatalf("seed %d: accepted, go-tuf: %v\n%s: %s", seed, theirs, name, b)
		}
		if ours != nil && theirs == nil && !stricter(ours) {
			t.Fatalf("seed %d: go-tuf accepts, here: %v\n%s: %s", seed, ours, name, b)
		}
	}
	if accepted == 0 {
		t.Error("nothing was accepted: the comparison says nothing")
	}
}

// stricter tells of what this room refuses and go-tuf does not: go-tuf reads names in any letter case and the last of two, and checks
// signatures over what it has read, not over what stands in the file.
func stricter(err error) bool {
	return errors.Is(err, trust.ErrFormat) || errors.Is(err, trust.ErrSignature)
}

// moduleFile is a file of go-tuf's own test data.
func moduleFile(t testing.TB, name string) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/theupdateframework/go-tuf/v2").Output()
	must(t, err)
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), name))
	must(t, err)
	return b
}

// The published repository of go-tuf's multirepo example: another program's signatures, real lengths and hashes.
func TestAPublishedRepositoryOfGoTUFIsBelieved(t *testing.T) {
	const at = "examples/multirepo/repository/metadata/"
	read := func(_ context.Context, key string, _ int64) ([]byte, error) {
		name := strings.TrimPrefix(key, "trust/")
		switch name {
		case "timestamp.json", "1.snapshot.json", "1.targets.json":
			return moduleFile(t, at+name), nil
		}
		return nil, bucket.ErrMissing
	}
	s := trust.State{Root: moduleFile(t, "examples/multirepo/client/root.json")}
	l, err := s.Refresh(context.Background(), read, time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	content := moduleFile(t, "examples/multirepo/repository/targets/map.json")
	if got, ok := l.Find("map.json"); !ok || got.SHA256.String() != fmt.Sprintf("%x", sha256.Sum256(content)) {
		t.Errorf("map.json is listed as %+v", got)
	}
}

// Its older test data has RSA keys of 1024 bits, which do not count here.
func TestTheShortKeysOfGoTUFsTestDataAreRefused(t *testing.T) {
	_, err := trust.ParseRoot(moduleFile(t, "internal/testutils/repository_data/repository/metadata/root.json"))
	if err == nil || !strings.Contains(err.Error(), "0 of 1 signatures") {
		t.Error("got", err)
	}
}
