package publish_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// amazons is a folder as Amazon's own bucket is: archives that the manifest lists, packages and their signatures that it does not.
func amazons(t *testing.T, versions ...string) string {
	t.Helper()
	dir := t.TempDir()
	put := func(key, text string) {
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	for _, v := range versions {
		for _, of := range [][3]string{{manifests.AgentPackage, "linux", "amd64"}, {manifests.AgentPackage, "ubuntu", "amd64"},
			{manifests.AgentPackage, "windows", "amd64"}, {manifests.AgentPackage, "darwin", "arm64"},
			{manifests.UpdaterPackage, "linux", "amd64"}} {
			name := manifests.ArchiveFile(of[0], of[1], of[2])
			text := v + name
			put(of[0]+"/"+v+"/"+name, text)
			m.Add(of[0], name, manifests.FileVersion{Version: v, Checksum: sum(text)})
		}
		for _, at := range []string{v, "latest"} {
			for name, text := range map[string]string{"debian_amd64/amazon-ssm-agent.deb": "deb", "linux_amd64/amazon-ssm-agent.rpm": "rpm",
				"debian_amd64/amazon-ssm-agent.deb.sig": "sig", "windows_amd64/AmazonSSMAgentSetup.exe": "exe",
				"darwin_arm64/amazon-ssm-agent.pkg": "pkg"} {
				put(at+"/"+name, v+text)
			}
		}
		put(regions.LatestVersionKey, v+"\n")
	}
	put(regions.ManifestKey, string(m.Bytes()))
	return dir
}

// A mirror of a bucket with Amazon's own agent carries all of it: the archives that its manifest lists, and the packages and signatures
// that it does not. A second run fetches nothing.
func TestAMirrorCarriesAmazonsOwnAgentWhole(t *testing.T) {
	origin, dir := amazons(t, "3.3.1.0", "3.3.2.0"), t.TempDir()
	all := publish.Wanted{Versions: []manifests.Version{manifests.MustVersion("3.3.1.0"), manifests.MustVersion("3.3.2.0")}}
	if _, err := mirror(t, served(t, origin), dir, all); err != nil {
		t.Fatal(err)
	}
	count := 0
	err := filepath.WalkDir(origin, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == regions.ManifestKey {
			return err
		}
		name, _ := filepath.Rel(origin, path)
		want, _ := os.ReadFile(path)
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != string(want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		count++
		return nil
	})
	if err != nil || count != 26 {
		t.Errorf("%d files, %v", count, err)
	}
	again, err := mirror(t, served(t, origin), dir, all)
	if err != nil || again.Traffic.Sent != 0 || again.Traffic.Copied != 0 {
		t.Errorf("again: %+v, %v", again.Traffic, err)
	}
	some := t.TempDir()
	linux := publish.Wanted{Platforms: []pack.Platform{{OS: "linux", Arch: "amd64"}}}
	if _, err := mirror(t, served(t, origin), some, linux); err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[string]bool{"3.3.2.0/debian_amd64/amazon-ssm-agent.deb": true,
		"3.3.2.0/windows_amd64/AmazonSSMAgentSetup.exe": false, "3.3.1.0/debian_amd64/amazon-ssm-agent.deb": false} {
		if _, err := os.Stat(filepath.Join(some, name)); (err == nil) != wanted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The file at a mirror's root names every region that it has a folder of, and nothing else.
func TestAMirrorsRootNamesItsRegions(t *testing.T) {
	root := t.TempDir()
	for _, region := range []string{"eu-west-1", "us-gov-west-1", ".unfinished"} {
		name := regions.Bucket(region)
		if strings.HasPrefix(region, ".") {
			name = region
		}
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := publish.Carry(context.Background(), root); err != nil {
			t.Fatal(err)
		}
	}
	c, err := regions.ParseCarried([]byte(read(t, target.Folder(root), regions.CarriedKey)))
	if err != nil || strings.Join(c.Regions, " ") != "eu-west-1 us-gov-west-1" {
		t.Errorf("%v, %v", c, err)
	}
}
