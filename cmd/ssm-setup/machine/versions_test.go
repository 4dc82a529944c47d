package machine

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// What a source has is shown on every machine; only what is for this system is told to be.
func TestASourceIsListedWholeWhateverPackageThisMachineNeeds(t *testing.T) {
	dir := t.TempDir()
	here := manifests.PortableFile(runtime.GOOS, runtime.GOARCH)
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	m.Add(manifests.AgentPackage, here, manifests.FileVersion{Version: "9.1.0.0", Size: 7})
	m.Add(manifests.AgentPackage, "amazon-ssm-agent-portable-plan9.tar.gz", manifests.FileVersion{Version: "9.2.0.0", Status: "Deprecated"})
	m.Add(manifests.AgentPackage, "amazon-ssm-agent-portable-plan9-arm.tar.gz", manifests.FileVersion{Version: "9.2.0.0"})
	if err := os.WriteFile(filepath.Join(dir, regions.ManifestKey), m.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	client := bucket.New(bucket.Options{Base: "file://" + filepath.ToSlash(dir), Retries: -1})

	rows, file, err := offered(t.Context(), client, installer.At(t.TempDir()))
	if err != nil || file != here || len(rows) != 2 || rows[0].Version != "9.2.0.0" || rows[0].Status != manifests.Active ||
		!slices.Equal(rows[0].Notes, []string{notHere}) || rows[1].Bytes != 7 || len(rows[1].Notes) != 0 {
		t.Errorf("%+v of %s, %v", rows, file, err)
	}
	system := installer.Layout{} // whose package is a deb or rpm, or none that this program installs
	if rows, _, err = offered(t.Context(), client, system); err != nil || len(rows) != 2 || rows[1].Version != "9.1.0.0" {
		t.Errorf("for the system: %+v, %v", rows, err)
	}
}
