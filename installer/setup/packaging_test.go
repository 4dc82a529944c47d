package setup

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

func TestTheFamilyOfASystemIsReadFromOsRelease(t *testing.T) {
	file := filepath.Join(t.TempDir(), "os-release")
	for text, want := range map[string]string{"ID=debian\n": "deb", "NAME=x\nID=\"amzn\"\nID_LIKE=\"fedora\"": "rpm",
		"ID=mint\nID_LIKE='ubuntu debian'":            "deb",
		"ID=opensuse-leap\nID_LIKE=\"suse opensuse\"": "rpm", "ID=alpine": "", "": ""} {
		os.WriteFile(file, []byte(text), 0o600)
		if got := familyOf(file); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// The rows for Windows of docs/protocol/update.md, "Choosing package, service and verification manager", and what reg prints of products.
func TestWindowsIsInstalledWithItsOwnInstaller(t *testing.T) {
	for arch, want := range map[string]string{
		"amd64": "exe AmazonSSMAgentSetup-windows-amd64.exe x ALLOWEC2INSTALL=YES SKIPSYMLINKSCAN=YES /quiet /norestart",
		"386":   "exe AmazonSSMAgentSetup-windows-386.exe x ALLOWEC2INSTALL=YES SKIPSYMLINKSCAN=YES /quiet /norestart",
		"arm64": "msi amazon-ssm-agent-windows-arm64.msi msiexec /i x /qn /norestart",
	} {
		p := packagersOf("windows", arch)[0]
		if got := p.Name + " " + p.File(arch) + " " + strings.Join(filled(p.add, "x"), " "); got != want {
			t.Errorf("%s: %s, want %s", arch, got, want)
		}
		made := false
		for _, f := range pack.Formats() {
			made = made || f.File(pack.Platform{OS: "windows", Arch: arch}) == p.File(arch)
		}
		if !made {
			t.Errorf("no format of a release is called %s", p.File(arch))
		}
	}
	list := "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Uninstall\\{1-A}\r\n    DisplayName    REG_SZ    Amazon SSM Agent\r\n    Size    REG_DWORD    0x1\r\n" +
		"\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Uninstall\\{2-B}\r\n    DisplayName    REG_SZ    Amazon SSM Agent Viewer\r\n" +
		"\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Uninstall\\Named\r\n    DisplayName    REG_SZ    Amazon SSM Agent\r\n"
	if got := productCodes(list); len(got) != 1 || got[0] != "{1-A}" {
		t.Errorf("products: %v", got)
	}
}

// Four failures are too many, one is none.
func TestAServiceThatFailsOnceIsStartedAgain(t *testing.T) {
	for failures, fine := range map[int]bool{0: true, 1: true, 3: true, 4: false} {
		n := 0
		err := Retry(t.Context(), 4, func(context.Context) error {
			if n++; n <= failures {
				return os.ErrDeadlineExceeded
			}
			return nil
		})
		if (err == nil) != fine || !fine && !strings.HasPrefix(err.Error(), "retries exhausted") {
			t.Errorf("%d failures: %v", failures, err)
		}
	}
}
