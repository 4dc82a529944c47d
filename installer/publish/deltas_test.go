package publish_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/delta"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// body is the like of a program: long, not to be compressed, and much the same from version to version.
func body(version string) string {
	r, b := rand.New(rand.NewPCG(1, 2)), make([]byte, 200_000)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b[:100_000]) + version + string(b[100_000:])
}

func listOf(t *testing.T, at target.Target) *manifests.Manifest {
	t.Helper()
	m, err := manifests.ParseManifest([]byte(read(t, at, regions.ManifestKey)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestPublishMakesDeltasFromTheLastVersionsAndMirrorsCarryThem(t *testing.T) {
	dir := t.TempDir()
	to, o := target.Folder(dir), publish.Options{UriFormat: template, Deltas: 3}
	p := pack.Platforms()[0]
	file := manifests.PortableFile(p.OS, p.Arch)
	for _, v := range []string{"9.1.0.0", "9.2.0.0", "9.3.0.0", "9.4.0.0"} {
		publishTo(t, to, release(t, v, body(v)), o)
	}
	if _, err := publish.Mark(t.Context(), to, manifests.MustVersion("9.3.0.0"), manifests.Inactive, o); err != nil {
		t.Fatal(err)
	}
	last := release(t, "9.5.0.0", body("9.5.0.0"))
	dry := o
	dry.DryRun = true
	would, err := publish.Publish(t.Context(), to, last, dry)
	if err != nil {
		t.Fatal(err)
	}
	did := publishTo(t, to, last, o)
	if would.Traffic != did.Traffic {
		t.Errorf("the dry run says %+v, then it is %+v", would.Traffic, did.Traffic)
	}
	m := listOf(t, to)
	deltas := m.Deltas(file, manifests.MustVersion("9.5.0.0"))
	var from []string
	for _, d := range deltas {
		from = append(from, d.From.String())
		patch := read(t, to, "amazon-ssm-agent/9.5.0.0/"+d.File)
		old := body(d.From.String()) + pack.Worker
		var out bytes.Buffer
		_, err := delta.Apply(t.Context(), &out, strings.NewReader(old), int64(len(old)), strings.NewReader(patch), int64(len(patch)))
		if err != nil || out.String() != body("9.5.0.0")+pack.Worker || d.Program.String() != sumOf(out.String()) ||
			d.Source.String() != sumOf(old) || d.SHA256.String() != sumOf(patch) || d.Size != int64(len(patch)) {
			t.Errorf("%s: %+v, %v", d.File, d, err)
		}
	}
	if got := strings.Join(from, " "); got != "9.1.0.0 9.2.0.0 9.4.0.0" {
		t.Errorf("deltas from %s", got)
	}
	again := publishTo(t, to, last, o)
	for _, s := range again.Steps {
		if s.Action != publish.Same {
			t.Errorf("published again: %+v", s)
		}
	}
	mirrored := t.TempDir()
	w := publish.Wanted{Latest: true, Platforms: []pack.Platform{p}}
	if _, err := mirror(t, served(t, dir), mirrored, w); err != nil {
		t.Fatal(err)
	}
	copied := listOf(t, target.Folder(mirrored)).Deltas(file, manifests.MustVersion("9.5.0.0"))
	if len(copied) != 3 {
		t.Errorf("the mirror lists %+v", copied)
	}
	for _, d := range copied {
		if _, err := os.Stat(filepath.Join(mirrored, "amazon-ssm-agent", "9.5.0.0", d.File)); err != nil {
			t.Error(err)
		}
	}
}

func TestADeltaOfMoreThanHalfOfItsArchiveIsNotOffered(t *testing.T) {
	to, o := target.Folder(t.TempDir()), publish.Options{UriFormat: template, Deltas: 3}
	publishTo(t, to, release(t, "9.1.0.0", "short"), o)
	publishTo(t, to, release(t, "9.2.0.0", body("9.2.0.0")[:15_000]), o) // the archive holds it more than once, compressed
	p := pack.Platforms()[0]
	if d := listOf(t, to).Deltas(manifests.PortableFile(p.OS, p.Arch), manifests.MustVersion("9.2.0.0")); len(d) > 0 {
		t.Errorf("%+v", d)
	}
}

func TestAnOlderArchiveThatIsNotTheListedOneCostsOnlyItsDelta(t *testing.T) {
	dir := t.TempDir()
	var warned []string
	to, o := target.Folder(dir), publish.Options{UriFormat: template, Deltas: 3, Warn: func(text string) { warned = append(warned, text) }}
	p := pack.Platforms()[0]
	file := manifests.PortableFile(p.OS, p.Arch)
	publishTo(t, to, release(t, "9.1.0.0", body("9.1.0.0")), o)
	publishTo(t, to, release(t, "9.2.0.0", body("9.2.0.0")), o)
	if err := os.WriteFile(filepath.Join(dir, "amazon-ssm-agent", "9.1.0.0", file), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	publishTo(t, to, release(t, "9.3.0.0", body("9.3.0.0")), o)
	d := listOf(t, to).Deltas(file, manifests.MustVersion("9.3.0.0"))
	if len(d) != 1 || d[0].From.String() != "9.2.0.0" || len(warned) != 1 || !strings.Contains(warned[0], "from 9.1.0.0 to 9.3.0.0") {
		t.Errorf("%+v, %q", d, warned)
	}
}
