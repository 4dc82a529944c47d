package host

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReleaseFilesAreReadInOrder(t *testing.T) {
	rows := []struct {
		files         map[string]string
		name, version string
	}{
		{map[string]string{"os-release": "PRETTY_NAME=\"x\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"}, "Debian GNU/Linux", "12"},
		{map[string]string{"os-release": "NAME=Fedora\nVERSION_ID=41\n"}, "Fedora", "41"},
		{map[string]string{"os-release": "NAME='Amazon Linux'\nVERSION_ID='2023'\n"}, "Amazon Linux", "2023"},
		{map[string]string{"os-release": "NAME=\"Debian GNU/Linux\"\n"}, "Debian GNU/Linux", ""},
		{map[string]string{"os-release": "NAME=\"a \\\"b\\\" $\"\nVERSION_ID=1"}, `a "b" $`, "1"},
		{map[string]string{"centos-release": "CentOS Linux release 7.9.2009 (Core)\n", "os-release": "NAME=x\n"},
			"CentOS Linux", "7.9.2009 (Core)"},
		{map[string]string{"centos-release": "Other release 1\n", "os-release": "NAME=x\nVERSION_ID=2\n"}, "x", "2"},
		{map[string]string{"bottlerocket-release": "NAME=Bottlerocket\nVERSION_ID=1.2.3\n", "os-release": "NAME=x\n"},
			"Bottlerocket", "1.2.3"},
		{map[string]string{"system-release": "Amazon Linux AMI release 2018.03\n"}, "Amazon Linux AMI", "2018.03"},
		{map[string]string{"redhat-release": "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n"},
			"Red Hat Enterprise Linux Server", "6.10 (Santiago)"},
	}
	for _, r := range rows {
		etc := t.TempDir()
		for file, text := range r.files {
			if err := os.WriteFile(filepath.Join(etc, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		name, version, ok := releaseFiles(etc)
		if !ok || name != r.name || version != r.version {
			t.Errorf("%v: %q %q %v", r.files, name, version, ok)
		}
	}
	if _, _, ok := releaseFiles(t.TempDir()); ok {
		t.Error("a system was recognised in an empty folder")
	}
}

func TestPlatformHasAName(t *testing.T) {
	if name, _, err := Platform(); err != nil || name == "" {
		t.Errorf("%q, %v", name, err)
	}
}
