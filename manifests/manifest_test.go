package manifests_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// published has the letter cases and oddities that real manifests show.
const published = `{
  "schemaVersion": "1.0",
  "URIFORMAT": "https://s3.{Region}.example/amazon-ssm-{Region}/{PackageName}/{PackageVersion}/{FileName}",
  "Packages": [
    {"Name": "amazon-ssm-agent", "Files": [
      {"Name": "amazon-ssm-agent-linux-amd64.tar.gz", "AvailableVersions": [
        {"Version": "7.0.1.0", "CheckSum": "aa", "Status": "Deprecated"},
        {"Version": "7.0.9.0", "Checksum": "bb", "Status": "Active"},
        {"Version": "7.1.1.0", "checksum": "bc", "Status": "Foo"},
        {"Version": "2.3.772.0", "CheckSum": "bd", "Status": "Active"},
        {"Version": "7.1.2.0", "CHECKSUM": "cc", "Status": "Inactive"}]},
      {"Name": "amazon-ssm-agent-linux-arm64.tar.gz", "AvailableVersions": [
        {"Version": "7.0.9.0", "CheckSum": "dd"}]},
      {"Name": "empty", "AvailableVersions": []}]}]}`

func load(t *testing.T, file string) manifests.Listing {
	t.Helper()
	m, err := manifests.ParseManifest([]byte(published))
	if err != nil {
		t.Fatal(err)
	}
	l, err := m.Listing(manifests.AgentPackage, file)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAListingKnowsVersionsAndTheirStatus(t *testing.T) {
	l := load(t, "amazon-ssm-agent-linux-amd64.tar.gz")
	if got := l.Latest().String(); got != "7.1.2.0" {
		t.Errorf("latest %s", got)
	}
	if got := l.LatestActive().String(); got != "7.0.9.0" {
		t.Errorf("latest active %s", got)
	}
	for version, checksum := range map[string]string{"7.0.1.0": "aa", "7.0.9.0": "bb", "7.1.1.0": "bc", "7.1.2.0": "cc"} {
		if r, ok := l.Find(manifests.MustVersion(version)); !ok || r.Checksum != checksum {
			t.Errorf("%s: %v, %v", version, r, ok)
		}
	}
	if got := l.URL("eu-x-1", manifests.MustVersion("7.0.9.0")); got !=
		"https://s3.eu-x-1.example/amazon-ssm-eu-x-1/amazon-ssm-agent/7.0.9.0/amazon-ssm-agent-linux-amd64.tar.gz" {
		t.Errorf("url %s", got)
	}
	if _, err := l.Status(manifests.MustVersion("7.1.1.0")); !errors.Is(err, manifests.ErrManifest) {
		t.Errorf("unknown status: %v", err)
	}
	if s, err := l.Status(manifests.MustVersion("2.3.772.0")); err != nil || s != manifests.Inactive {
		t.Errorf("the version that is always inactive: %s, %v", s, err)
	}
	if _, err := l.Status(manifests.MustVersion("1.1.1.1")); !errors.Is(err, manifests.ErrNotListed) ||
		!strings.Contains(err.Error(), "cannot find  amazon-ssm-agent-linux-amd64.tar.gz information for 1.1.1.1 in Manifest file") {
		t.Errorf("not listed: %v", err)
	}
	if s, err := load(t, "amazon-ssm-agent-linux-arm64.tar.gz").Status(manifests.MustVersion("7.0.9.0")); err != nil || s != manifests.Active {
		t.Errorf("no status: %s, %v", s, err)
	}
}

// Each archive has statuses of its own; what is the latest at all does not ask for them.
func TestTheLatestActiveVersionIsThatOfItsPlatform(t *testing.T) {
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	for file, status := range map[string]string{"amd64": "Active", "arm64": "Deprecated"} {
		m.Add(manifests.AgentPackage, file, manifests.FileVersion{Version: "7.1.0.0", Checksum: "aa"})
		m.Add(manifests.AgentPackage, file, manifests.FileVersion{Version: "7.2.0.0", Checksum: "aa", Status: status})
	}
	for file, want := range map[string]string{"amd64": "7.2.0.0", "arm64": "7.1.0.0"} {
		l, err := m.Listing(manifests.AgentPackage, file)
		if err != nil || l.LatestActive().String() != want || l.Latest().String() != "7.2.0.0" {
			t.Errorf("%s: latest active %s, latest %s, %v", file, l.LatestActive(), l.Latest(), err)
		}
	}
}

func TestADamagedManifestIsRefusedInTheOriginalsWords(t *testing.T) {
	for in, want := range map[string]string{
		`{"Packages":[]}`:      "uri format cannot be null in the Manifest file",
		`{`:                    "unexpected end",
		`<html>sign in</html>`: "HTML",
		``:                     "unexpected end",
		`[]`:                   "cannot unmarshal",
		`{"UriFormat":7}`:      "cannot unmarshal",
	} {
		if _, err := manifests.ParseManifest([]byte(in)); !errors.Is(err, manifests.ErrManifest) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	m, _ := manifests.ParseManifest([]byte(published))
	for file, want := range map[string]string{
		"nope":  "cannot find the nope information in the Manifest file",
		"empty": "at least one available version is required for the empty",
	} {
		if _, err := m.Listing(manifests.AgentPackage, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := m.Listing("other", "x"); err == nil || !strings.Contains(err.Error(), "cannot find the other information") {
		t.Errorf("package: %v", err)
	}
}

func TestMergeKeepsOlderVersions(t *testing.T) {
	region, _ := manifests.ParseManifest([]byte(published))
	release := manifests.NewManifest("unused")
	file := "amazon-ssm-agent-linux-amd64.tar.gz"
	release.Add(manifests.AgentPackage, file, manifests.FileVersion{Version: "9.1.0.0", Checksum: "ee", Size: 5})
	release.Add(manifests.AgentPackage, file, manifests.FileVersion{Version: "7.0.9.0", Checksum: "ff"})
	region.Merge(release)
	region.SetStatus(manifests.AgentPackage, manifests.MustVersion("9.1.0.0"), manifests.Deprecated)

	again, err := manifests.ParseManifest(region.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	l, err := again.Listing(manifests.AgentPackage, file)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, v := range l.Versions() {
		order = append(order, v.String())
	}
	if got := strings.Join(order, " "); got != "2.3.772.0 7.0.1.0 7.0.9.0 7.1.1.0 7.1.2.0 9.1.0.0" {
		t.Errorf("versions %s", got)
	}
	if r, _ := l.Find(manifests.MustVersion("7.0.9.0")); r.Checksum != "ff" {
		t.Errorf("the same version again replaces: %+v", r)
	}
	if r, _ := l.Find(manifests.MustVersion("9.1.0.0")); r.Status != manifests.Deprecated || r.Size != 5 {
		t.Errorf("new entry: %+v", r)
	}
	if !strings.HasPrefix(again.UriFormat, "https://s3.{Region}.example/") {
		t.Errorf("the region's template changed: %s", again.UriFormat)
	}
}

func TestFileAndFolderNamesFollowThePlatform(t *testing.T) {
	for got, want := range map[string]string{
		manifests.PortableFile("linux", "arm64"):                               "amazon-ssm-agent-portable-linux-arm64.tar.gz",
		manifests.ArchiveFile(manifests.UpdaterPackage, "ubuntu", "arm64"):     "amazon-ssm-agent-updater-ubuntu-arm64.tar.gz",
		manifests.ArchiveFile(manifests.AgentPackage, "windows-nano", "amd64"): "amazon-ssm-agent-windows-nano-amd64.zip",
		manifests.Folder("ubuntu", "arm64"):                                    "debian_arm64",
		manifests.Folder("linux", "386"):                                       "linux_386",
		manifests.Folder("windows-nano", "arm64"):                              "windows_nano",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(published))
	f.Add([]byte(`{"UriFormat":"x","Packages":[{"Name":"amazon-ssm-agent","Files":[{"Name":"f","AvailableVersions":[{"Version":""}]}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := manifests.ParseManifest(b)
		if err != nil {
			return
		}
		for _, p := range m.Packages {
			for _, file := range p.Files {
				if l, err := m.Listing(p.Name, file.Name); err == nil {
					l.Latest()
					l.LatestActive()
					l.Statuses()
				}
			}
		}
		if _, err := manifests.ParseManifest(m.Bytes()); err != nil {
			t.Fatalf("written manifest does not read: %v", err)
		}
	})
}
