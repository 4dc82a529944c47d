package host

import (
	"os"

	"golang.org/x/sys/windows"
)

// MakeForPrograms makes a folder for programs, with those above it. An administrator's new folder is the administrators' and the
// system's to write and all accounts' to read: what it would inherit from a drive lets all accounts write.
func MakeForPrograms(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil || !windows.GetCurrentProcessToken().IsElevated() {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)")
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
}
