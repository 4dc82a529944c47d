package manifests_test

import (
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
)

func TestADeltasNameSaysItsArchiveAndItsVersion(t *testing.T) {
	for _, archive := range []string{manifests.PortableFile("linux", "amd64"), manifests.PortableFile("windows", "arm64")} {
		name := manifests.DeltaFile(archive, manifests.MustVersion("9.1.0.0"))
		of, from, ok := manifests.ParseDeltaFile(name)
		if !ok || of != archive || from.String() != "9.1.0.0" {
			t.Errorf("%s: %s, %s, %v", name, of, from, ok)
		}
	}
	for _, name := range []string{"", ".delta", "amazon-ssm-agent-portable-linux-amd64.tar.gz",
		"amazon-ssm-agent-portable-linux-amd64-from-x.delta",
		"other-linux-amd64-from-9.1.0.0.delta", "amazon-ssm-agent-portable-linux-from-9.1.0.0.delta"} {
		if _, _, ok := manifests.ParseDeltaFile(name); ok {
			t.Errorf("%q is taken for one", name)
		}
	}
}

func TestADeltaCountsOnlyWhereItMakesTheProgramThatItsArchiveIsListedWith(t *testing.T) {
	sum := func(c string) string { return strings.Repeat(c, 64) }
	archive, v := manifests.PortableFile("linux", "amd64"), manifests.MustVersion("9.2.0.0")
	list := func(change func(full, delta *manifests.FileVersion)) []manifests.Delta {
		full := manifests.FileVersion{Version: "9.2.0.0", Checksum: sum("1"), ProgramChecksum: sum("2")}
		delta := manifests.FileVersion{Version: "9.2.0.0", Checksum: sum("3"), Size: 7, ProgramChecksum: sum("2"), SourceChecksum: sum("4")}
		change(&full, &delta)
		m := manifests.NewManifest("x")
		m.Add(manifests.AgentPackage, archive, full)
		m.Add(manifests.AgentPackage, manifests.DeltaFile(archive, manifests.MustVersion("9.1.0.0")), delta)
		return m.Deltas(archive, v)
	}
	if d := list(func(_, _ *manifests.FileVersion) {}); len(d) != 1 || d[0].From.String() != "9.1.0.0" || d[0].Program.String() != sum("2") {
		t.Fatalf("%+v", d)
	}
	for name, change := range map[string]func(full, delta *manifests.FileVersion){
		"another program":      func(_, d *manifests.FileVersion) { d.ProgramChecksum = sum("5") },
		"the archive has none": func(f, _ *manifests.FileVersion) { f.ProgramChecksum = "" },
		"no source":            func(_, d *manifests.FileVersion) { d.SourceChecksum = "" },
		"no checksum":          func(_, d *manifests.FileVersion) { d.Checksum = "xyz" },
		"no size":              func(_, d *manifests.FileVersion) { d.Size = 0 },
		"another version":      func(_, d *manifests.FileVersion) { d.Version = "9.3.0.0" },
	} {
		if d := list(change); len(d) > 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
