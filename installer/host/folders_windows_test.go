package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// list gives a folder an access list of its own.
func list(t *testing.T, dir, sddl string) {
	t.Helper()
	sd, err := windows.SecurityDescriptorFromString(sddl)
	ok(t, err)
	dacl, _, err := sd.DACL()
	ok(t, err)
	ok(t, windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil))
}

func TestAFolderThatOtherAccountsCanChangeIsNoPlaceForPrograms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "programs")
	ok(t, os.Mkdir(dir, 0o755))
	list(t, dir, "D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)")
	if err := host.CheckFolders(dir, dir); err != nil {
		t.Errorf("for all to read: %v", err)
	}
	list(t, dir, "D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;FA;;;WD)")
	if err := host.CheckFolders(dir, dir); !errors.Is(err, host.ErrWritable) {
		t.Errorf("for all to change: %v", err)
	}
}

func TestTheSystemsBlockIsTheEnvironment(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "secret")
	got := host.CleanEnvironment(os.Environ(), "")
	for _, want := range []string{"SYSTEMROOT=", "PATH=", "USERPROFILE="} {
		if !slices.ContainsFunc(got, func(entry string) bool { return strings.HasPrefix(strings.ToUpper(entry), want) }) {
			t.Errorf("no %s in %q", want, got)
		}
	}
	if slices.Contains(got, "GITHUB_TOKEN=secret") {
		t.Error("the shell's secret is passed on")
	}
}
