package describe_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/describe"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

var here = pack.Platform{OS: "linux", Arch: "amd64"}

// released is a version's folder with one artifact, and the launcher as what was packed.
func released(t *testing.T) describe.Contents {
	t.Helper()
	bin, dir := t.TempDir(), t.TempDir()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(bin, pack.Launcher), "../../cmd/amazon-ssm-agent")
	cmd.Env = append(os.Environ(), "GOOS="+here.OS, "GOARCH="+here.Arch, "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	artifact := manifests.PortableFile(here.OS, here.Arch)
	if err := os.WriteFile(filepath.Join(dir, artifact), []byte("archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := build.Index(dir, manifests.MustVersion("9.1.0.0")); err != nil {
		t.Fatal(err)
	}
	programs, err := describe.Inspect(pack.Input{Platform: here, Bin: bin})
	if err != nil {
		t.Fatal(err)
	}
	return describe.Contents{Dir: dir, Version: "9.1.0.0", Time: time.Unix(1700000000, 0), Origin: describe.Origin{Commit: strings.Repeat("ab", 20), Remote: "https://example.test/fork"},
		Notes:    "# notes\n",
		Programs: map[pack.Platform][]describe.Program{here: programs}}
}

func write(t *testing.T, r describe.Contents) []describe.File {
	t.Helper()
	files, err := describe.Write(r)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, r describe.Contents, name string, into any) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return b
}

var purl = regexp.MustCompile(`^pkg:golang/[a-z0-9./_~-]+@[A-Za-z0-9.%_-]+$`)

// The library that wrote it reads it back, and it names what this program was linked from.
func TestACycloneDXFileNamesWhatIsLinked(t *testing.T) {
	r := released(t)
	write(t, r)
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(read(t, r, "sbom-linux-amd64.cdx.json", nil)),
		cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, c := range *bom.Components {
		names[c.Name] = c.Version
	}
	if names["golang.org/x/sys"] == "" || names["std"] != strings.TrimPrefix(runtime.Version(), "go") ||
		names["amazon-ssm-agent"] != "9.1.0.0" {
		t.Errorf("components %v", names)
	}
	// What the schema of CycloneDX 1.6 asks for, and forbids.
	var raw map[string]any
	read(t, r, "sbom-linux-amd64.cdx.json", &raw)
	if raw["bomFormat"] != "CycloneDX" || raw["specVersion"] != "1.6" || raw["version"] != 1.0 ||
		raw["$schema"] != "http://cyclonedx.org/schema/bom-1.6.schema.json" ||
		!regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`).MatchString(bom.SerialNumber) {
		t.Errorf("%v %v %v %v %s", raw["bomFormat"], raw["specVersion"], raw["version"], raw["$schema"], bom.SerialNumber)
	}
	refs := map[string]bool{}
	for _, c := range append(*bom.Components, *bom.Metadata.Component) {
		if c.Name == "" || c.Version == "" || c.Type != cdx.ComponentTypeApplication && c.Type != cdx.ComponentTypeLibrary || refs[c.BOMRef] ||
			c.BOMRef == "" {
			t.Errorf("%+v", c)
		}
		if refs[c.BOMRef] = true; c.Type == cdx.ComponentTypeLibrary && !purl.MatchString(c.PackageURL) {
			t.Errorf("purl %q", c.PackageURL)
		}
		if c.Hashes != nil && len((*c.Hashes)[0].Value) != 64 {
			t.Errorf("%s has the hash %v", c.Name, *c.Hashes)
		}
	}
	known := map[string]bool{"release": true}
	for _, c := range *bom.Components {
		known[c.BOMRef] = true
	}
	for _, d := range *bom.Dependencies {
		for _, ref := range *d.Dependencies {
			if !known[ref] || !known[d.Ref] {
				t.Errorf("%s depends on %s, which is not there", d.Ref, ref)
			}
		}
	}
	if bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" || !strings.HasPrefix(bom.SerialNumber, "urn:uuid:") {
		t.Errorf("%s %s", bom.Metadata.Timestamp, bom.SerialNumber)
	}
}

func TestAnSPDXFileNamesOnlyWhatItHolds(t *testing.T) {
	r := released(t)
	write(t, r)
	var d struct {
		SPDXVersion       string `json:"spdxVersion"`
		ID                string `json:"SPDXID"`
		DataLicense       string
		Name              string `json:"name"`
		DocumentNamespace string
		CreationInfo      struct {
			Created  time.Time
			Creators []string
		}
		Packages []struct {
			ID       string                                                                `json:"SPDXID"`
			Name     string                                                                `json:"name"`
			Download string                                                                `json:"downloadLocation"`
			Version  string                                                                `json:"versionInfo"`
			External []struct{ ReferenceCategory, ReferenceType, ReferenceLocator string } `json:"externalRefs"`
		}
		Relationships []struct{ SpdxElementID, RelationshipType, RelatedSpdxElement string }
	}
	read(t, r, "sbom-linux-amd64.spdx.json", &d)
	ids := map[string]bool{"SPDXRef-DOCUMENT": true}
	for _, p := range d.Packages {
		if ids[p.ID] {
			t.Errorf("%s is there twice", p.ID)
		}
		ids[p.ID] = true
		if !regexp.MustCompile(`^SPDXRef-[A-Za-z0-9.-]+$`).MatchString(p.ID) || p.Name == "" || p.Version == "" || p.Download == "" {
			t.Errorf("%+v", p)
		}
		for _, x := range p.External {
			if x.ReferenceCategory != "PACKAGE-MANAGER" || x.ReferenceType != "purl" || !purl.MatchString(x.ReferenceLocator) {
				t.Errorf("%+v", x)
			}
		}
	}
	if d.ID != "SPDXRef-DOCUMENT" || d.DataLicense != "CC0-1.0" || d.Name == "" || !strings.HasPrefix(d.DocumentNamespace, "https://") ||
		strings.Contains(d.DocumentNamespace, "#") || !d.CreationInfo.Created.Equal(r.Time) || len(d.CreationInfo.Creators) == 0 {
		t.Errorf("%+v", d.CreationInfo)
	}
	kinds := map[string]int{}
	for _, x := range d.Relationships {
		kinds[x.RelationshipType]++
		if !ids[x.SpdxElementID] || !ids[x.RelatedSpdxElement] {
			t.Errorf("%v names what is not there", x)
		}
	}
	if d.SPDXVersion != "SPDX-2.3" || kinds["DESCRIBES"] != 1 || kinds["CONTAINS"] != 1 || kinds["DEPENDS_ON"] < 2 {
		t.Errorf("%s %v", d.SPDXVersion, kinds)
	}
}

func TestTheProvenanceNamesSourceAndModules(t *testing.T) {
	r := released(t)
	write(t, r)
	var s struct {
		Type          string `json:"_type"`
		PredicateType string
		Subject       []struct {
			Name   string
			Digest map[string]string
		}
		Predicate struct {
			BuildDefinition struct {
				ExternalParameters   map[string]any
				InternalParameters   map[string]string
				ResolvedDependencies []struct {
					URI    string
					Digest map[string]string
				}
			}
			RunDetails struct{ Builder struct{ ID string } }
		}
	}
	read(t, r, "provenance-linux-amd64.intoto.json", &s)
	sum := sha256.Sum256([]byte("archive"))
	if s.Type != "https://in-toto.io/Statement/v1" || s.PredicateType != "https://slsa.dev/provenance/v1" || len(s.Subject) != 1 ||
		s.Subject[0].Digest["sha256"] != hex.EncodeToString(sum[:]) {
		t.Errorf("%+v", s)
	}
	d := s.Predicate.BuildDefinition
	if source := d.ResolvedDependencies[0]; source.Digest["gitCommit"] != r.Origin.Commit ||
		source.URI != "git+https://example.test/fork@"+r.Origin.Commit || d.InternalParameters["go"] != runtime.Version() ||
		s.Predicate.RunDetails.Builder.ID == "" {
		t.Errorf("%+v", d)
	}
	hashed := 0
	for _, m := range d.ResolvedDependencies {
		if len(m.Digest["dirHash1"]) == 64 {
			hashed++
		}
	}
	if hashed == 0 {
		t.Error("no module has its hash")
	}
}

// All statements together name every artifact that SHA256SUMS lists, with that very hash, once; and nothing else.
func TestStatementsCoverTheSums(t *testing.T) {
	r := released(t)
	arm := pack.Platform{OS: "linux", Arch: "arm64"}
	for _, name := range []string{manifests.PortableFile("linux", "arm64"), "amazon-ssm-agent-debian-arm64.deb",
		"amazon-ssm-agent-linux-amd64.rpm"} {
		if err := os.WriteFile(filepath.Join(r.Dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := build.Index(r.Dir, manifests.MustVersion("9.1.0.0")); err != nil {
		t.Fatal(err)
	}
	want := string(read(t, r, build.SumsFile, nil))
	r.Programs[arm] = r.Programs[here]
	write(t, r)
	var got []string
	statements, _ := filepath.Glob(filepath.Join(r.Dir, "provenance-*.intoto.json"))
	for _, path := range statements {
		var s struct {
			Subject []struct {
				Name   string
				Digest map[string]string
			}
		}
		read(t, r, filepath.Base(path), &s)
		for _, x := range s.Subject {
			got = append(got, x.Digest["sha256"]+"  "+x.Name+"\n")
		}
	}
	lines := slices.Collect(strings.Lines(want))
	slices.Sort(lines)
	slices.Sort(got)
	if len(statements) != 2 || !slices.Equal(got, lines) {
		t.Errorf("statements name\n%v\nthe sums are\n%v", got, lines)
	}
}

// The same input gives the same bytes; SHA256SUMS lists all of it, also after a second run and after another index.
func TestTheSameInputGivesTheSameBytesAndSums(t *testing.T) {
	r := released(t)
	files := write(t, r)
	for range 2 {
		sums := read(t, r, build.SumsFile, nil)
		for _, f := range files {
			if !strings.Contains(string(sums), f.SHA256+"  "+f.Name+"\n") {
				t.Errorf("%s is not in\n%s", f.Name, sums)
			}
		}
		if strings.Count(string(sums), "\n") != len(files)+1 {
			t.Errorf("lines\n%s", sums)
		}
		if err := build.Index(r.Dir, manifests.MustVersion("9.1.0.0")); err != nil {
			t.Fatal(err)
		}
		again := write(t, r)
		for i := range files {
			if files[i] != again[i] {
				t.Errorf("%s differs", files[i].Name)
			}
		}
	}
}

func TestNotesAreThoseOfTheVersion(t *testing.T) {
	if got := describe.Notes("", "9.1.0.0"); !strings.Contains(got, "amazon-ssm-agent 9.1.0.0") {
		t.Error(got)
	}
	for name, text := range map[string]string{
		"underlined": "Release notes\n\n9.2.0.0\n=======\n- later 9.1.0.0\n\n9.1.0.0\n=======\n- this one\n- and that\n\n9.0.0.0\n=======\n- older\n",
		"hashes":     "# Notes\n## 9.2.0.0 - soon\n- later\n## v9.1.0.0 - 2025-01-01\n- this one\n- and that\n## 9.0.0.0\n- older\n",
		"three":      "## 9.2.0\n- later\n## 9.1.0\n- this one\n- and that\n",
	} {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, describe.NotesFile), []byte(text), 0o644)
		got := describe.Notes(dir, "9.1.0.0")
		if !strings.HasSuffix(got, "\n- this one\n- and that\n") || strings.Contains(got, "later") || strings.Contains(got, "older") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNotesAreReadFromAFile(t *testing.T) {
	sections := "## 9.2.0.0\n- later\n## 9.1.0.0\n- this one\n"
	for text, want := range map[string]string{sections: "- this one\n", "Only this.\n\nNothing else.\n": "Only this.\n\nNothing else.\n"} {
		if got, err := describe.NotesIn(text, "9.1.0.0"); err != nil || got != "# amazon-ssm-agent 9.1.0.0\n\n"+want {
			t.Errorf("%q, %v", got, err)
		}
	}
	for _, text := range []string{"", " \n", "## 9.2.0.0\n- later\n"} {
		if got, err := describe.NotesIn(text, "9.1.0.0"); err == nil {
			t.Errorf("%q gave %q", text, got)
		}
	}
}

func FuzzNotes(f *testing.F) {
	f.Add("## 9.1.0.0 - today\n- one\n9.0.0.0\n=======\n", "9.1.0.0")
	f.Add("Release notes\n\n9.1.0\n-----\n\n* x", "9.1.0.0")
	f.Fuzz(func(t *testing.T, text, version string) {
		got, err := describe.NotesIn(text, version)
		if err == nil && !strings.HasPrefix(got, "# amazon-ssm-agent "+version+"\n\n") {
			t.Errorf("%q", got)
		}
	})
}

// From a repository without notes: what was committed since the last tag.
func TestNotesComeFromGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("this test needs git")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.test", "-c",
			"commit.gpgsign=false"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	run("init", "-q")
	file := filepath.Join(dir, "file")
	for _, subject := range []string{"first", "second", "third"} {
		os.WriteFile(file, []byte(subject), 0o644)
		run("add", "file")
		run("commit", "-q", "-m", subject)
		if subject == "first" {
			run("tag", "v9.0.0")
		}
	}
	if got := describe.Notes(dir, "9.1.0.0"); !strings.HasSuffix(got, "Changes since v9.0.0:\n\n- third\n- second\n") {
		t.Errorf("%q", got)
	}
}
