package updater_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/delta"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// deltaOf is the delta between the programs of two versions.
func deltaOf(t *testing.T, from, to string) []byte {
	t.Helper()
	patch, err := delta.Make(t.Context(), program(from), program(to))
	must(t, err)
	return patch
}

// offering is the region with a delta from 9.1.0.0 to 9.2.0.0, of which fetch gives what serve does. Fetched are the names asked for.
func (w *world) offering(patch []byte, serve func() ([]byte, error)) (e *updater.Engine, fetched *[]string) {
	fetched = new([]string)
	e = w.engine()
	e.Open = func(context.Context, string) (updater.Source, error) {
		s := w.region()
		plain, whole := s.Manifest, s.Fetch
		archive := manifests.PortableFile(runtime.GOOS, runtime.GOARCH)
		name := manifests.DeltaFile(archive, ver("9.1.0.0"))
		s.Manifest = func(ctx context.Context) (*manifests.Manifest, error) {
			m, err := plain(ctx)
			list := m.Packages[0].Files[0].AvailableVersions
			for i := range list {
				list[i].ProgramChecksum = hexSum(program(list[i].Version))
			}
			m.Add(manifests.AgentPackage, name, manifests.FileVersion{Version: "9.2.0.0", Checksum: hexSum(patch), Size: int64(len(patch)),
				SourceChecksum: hexSum(program("9.1.0.0")), ProgramChecksum: hexSum(program("9.2.0.0"))})
			return m, err
		}
		s.Fetch = func(ctx context.Context, want bucket.Want) error {
			*fetched = append(*fetched, filepath.Base(want.URL))
			if !strings.HasSuffix(want.URL, ".delta") {
				return whole(ctx, want)
			}
			data, err := serve()
			if err != nil {
				return err
			}
			return os.WriteFile(want.Path, data, 0o600)
		}
		return s, nil
	}
	return e, fetched
}

func (w *world) updated(e *updater.Engine) ledger.Outcome {
	w.t.Helper()
	o, err := e.Run(context.Background(), ledger.Request{Want: "latest", Why: ledger.ByCommandLine}, func(string) {})
	if err != nil || o == nil {
		w.t.Fatalf("Run: %v, %v", o, err)
	}
	return *o
}

func TestAnUpdateFetchesOnlyWhatDiffersWhereItHasTheProgramThatADeltaStartsFrom(t *testing.T) {
	w := newWorld(t)
	patch := deltaOf(t, "9.1.0.0", "9.2.0.0")
	e, fetched := w.offering(patch, func() ([]byte, error) { return patch, nil })
	o := w.updated(e)
	if !o.Success || o.RunningVersion != ver("9.2.0.0") || len(*fetched) != 1 || !strings.HasSuffix((*fetched)[0], "-from-9.1.0.0.delta") {
		t.Fatalf("%+v, fetched %q", o, *fetched)
	}
	if d := o.Download; d == nil || d.Bytes != int64(len(patch)) || d.From != ver("9.1.0.0") || d.Fault != "" {
		t.Errorf("%+v", d)
	}
	state, err := w.store().Read()
	must(t, err)
	if got, err := os.ReadFile(w.layout.Pointer().File(state.Active)); err != nil || !bytes.Equal(got, program("9.2.0.0")) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhateverIsWrongWithADeltaTheWholePackageIsFetched(t *testing.T) {
	right := deltaOf(t, "9.1.0.0", "9.2.0.0")
	broken := bytes.Clone(right)
	broken[len(broken)-3] ^= 0xff
	for name, c := range map[string]struct {
		listed, served []byte
		err            error
	}{
		"it is not there":                {listed: right, err: bucket.ErrMissing},
		"the region fails":               {listed: right, err: bucket.ErrUnreachable},
		"it was listed broken":           {listed: broken, served: broken},
		"it makes another program":       {listed: deltaOf(t, "9.1.0.0", "9.3.0.0"), served: deltaOf(t, "9.1.0.0", "9.3.0.0")},
		"it starts from another program": {listed: deltaOf(t, "9.0.0.0", "9.2.0.0"), served: deltaOf(t, "9.0.0.0", "9.2.0.0")},
		"it is no delta":                 {listed: []byte("<html>"), served: []byte("<html>")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e, fetched := w.offering(c.listed, func() ([]byte, error) { return c.served, c.err })
			o := w.updated(e)
			if !o.Success || o.RunningVersion != ver("9.2.0.0") || len(*fetched) != 2 {
				t.Fatalf("%+v, fetched %q", o, *fetched)
			}
			if o.Download == nil || o.Download.Fault == "" || !o.Download.From.IsZero() || !strings.Contains(o.Detail, "did not serve") {
				t.Errorf("%+v, %s", o.Download, o.Detail)
			}
		})
	}
}

func TestAHostWithoutTheProgramThatADeltaStartsFromFetchesTheWholePackage(t *testing.T) {
	w := newWorld(t)
	w.put(w.layout.Worker(), append(program("9.1.0.0"), "another build"...))
	patch := deltaOf(t, "9.1.0.0", "9.2.0.0")
	e, fetched := w.offering(patch, func() ([]byte, error) { return nil, errors.New("not to be asked for") })
	if o := w.updated(e); !o.Success || len(*fetched) != 1 || o.Download == nil || !o.Download.From.IsZero() {
		t.Errorf("%+v, fetched %q", o, *fetched)
	}
}

func TestAPackageThatAnImageBroughtAlongIsNotFetched(t *testing.T) {
	w := newWorld(t)
	seeds := filepath.Join(w.layout.Download(), "seed")
	w.put(filepath.Join(seeds, "a name of its own"), archive("9.2.0.0"))
	w.put(filepath.Join(seeds, "another"), []byte("something else"))
	patch := deltaOf(t, "9.1.0.0", "9.2.0.0")
	e, fetched := w.offering(patch, func() ([]byte, error) { return patch, nil })
	o := w.updated(e)
	if !o.Success || o.RunningVersion != ver("9.2.0.0") || len(*fetched) != 0 || o.Download == nil || o.Download.Bytes != 0 ||
		filepath.Base(o.Download.Seeded) != "a name of its own" {
		t.Errorf("%+v, %+v, fetched %q", o, o.Download, *fetched)
	}
	if _, err := os.Stat(filepath.Join(seeds, "a name of its own")); err != nil {
		t.Error("the image's file is gone")
	}
}

// The folder of an image may be another account's, which writes to the file between the check and the unpacking.
func TestWhatIsUnpackedOfAnImagesFileIsWhatWasChecked(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("archives of the test are zips there")
	}
	w := newWorld(t)
	seed := filepath.Join(w.layout.Download(), "seed", "image")
	w.put(seed, archive("9.2.0.0"))
	other := new(bytes.Buffer)
	z := gzip.NewWriter(other)
	content := append(program("9.2.0.0"), "another's"...)
	tw := tar.NewWriter(z)
	must(t, tw.WriteHeader(&tar.Header{Name: "ssm-agent-worker", Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}))
	_, err := tw.Write(content)
	must(t, errors.Join(err, tw.Close(), z.Close()))
	patch := deltaOf(t, "9.1.0.0", "9.2.0.0")
	e, _ := w.offering(patch, func() ([]byte, error) { return patch, nil })
	changed := false
	e.Crash = func(name string) bool {
		if strings.Contains(name, "stage") && !changed {
			changed = true
			must(t, os.WriteFile(seed, other.Bytes(), 0o600))
		}
		return false
	}
	if o := w.updated(e); !o.Success || !changed {
		t.Errorf("%+v, %t", o, changed)
	}
	must(t, filepath.WalkDir(w.layout.StoreDir(), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if text, _ := os.ReadFile(path); bytes.Contains(text, []byte("another's")) {
				t.Errorf("%s was never checked", path)
			}
		}
		return err
	}))
}

func TestADryRunSaysHowLittleADeltaBrings(t *testing.T) {
	w := newWorld(t)
	patch := deltaOf(t, "9.1.0.0", "9.2.0.0")
	e, fetched := w.offering(patch, nil)
	c, err := e.Check(t.Context(), ledger.Request{Want: "latest", Why: ledger.ByCommandLine})
	if err != nil || c.Plan == nil || c.Plan.Download != int64(len(patch)) || c.Plan.Delta != ver("9.1.0.0") || len(*fetched) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAnUpdateByADeltaThatCrashesAnywhereGoesOn(t *testing.T) {
	patch := deltaOf(t, "9.1.0.0", "9.2.0.0")
	for _, at := range []string{"fetch", "verify", "stage"} {
		for n := range 2 { // before it, and behind it
			w := newWorld(t)
			e, _ := w.offering(patch, func() ([]byte, error) { return patch, nil })
			seen := 0
			e.Crash = func(name string) bool {
				if strings.Contains(name, at) {
					seen++
				}
				return strings.Contains(name, at) && seen == n+1
			}
			if _, err := e.Run(context.Background(), ledger.Request{Want: "latest", Why: ledger.ByCommandLine}, func(string) {}); !errors.Is(err,
				updater.ErrCrashed) {
				t.Fatalf("%s, %d: %v", at, n, err)
			}
			again, fetched := w.offering(patch, func() ([]byte, error) { return patch, nil })
			must(t, again.Resume(context.Background()))
			led, err := ledger.Read(w.layout)
			must(t, err)
			if o := led.Last; led.Open != nil || o == nil || !o.Success || o.RunningVersion != ver("9.2.0.0") || o.Download == nil ||
				o.Download.From != ver("9.1.0.0") {
				t.Errorf("%s, %d: %+v, fetched %q", at, n, led.Last, *fetched)
			}
		}
	}
}
