package dist_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Whatever the two lists of a release folder say, opening it gives a release or an error.
func FuzzOpen(f *testing.F) {
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	m.Add(manifests.AgentPackage, "a.tar.gz", manifests.FileVersion{Version: "9.1.0.0", Checksum: host.SHA256Bytes([]byte("content"))})
	f.Add(m.Bytes(), []byte(host.SHA256Bytes([]byte("content"))+"  a.tar.gz\n"))
	notes := host.SHA256Bytes([]byte("notes")) + " *RELEASENOTES.md\n"
	f.Add(m.Bytes(), []byte(host.SHA256Bytes([]byte("content"))+"  a.tar.gz\n"+notes))
	f.Add([]byte(`{"UriFormat":"x","Packages":[{"Name":"..","Files":[{"Name":"../b",`+
		`"AvailableVersions":[{"Version":"9.1.0.0","Checksum":""}]}]}]}`), []byte("00  ../b"))
	f.Fuzz(func(t *testing.T, manifest, sums []byte) {
		dir := t.TempDir()
		for name, b := range map[string][]byte{"manifest.json": manifest, "SHA256SUMS": sums, "a.tar.gz": []byte("content"),
			"a.tar.gz.sig": []byte("signature"), "RELEASENOTES.md": []byte("notes")} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := dist.Open(dir, manifests.Version{})
		if err != nil {
			return
		}
		for _, file := range append(r.Files, r.Documents...) {
			if file.Name != filepath.Base(file.Name) {
				t.Errorf("a file outside of the folder: %q", file.Name)
			}
		}
	})
}
