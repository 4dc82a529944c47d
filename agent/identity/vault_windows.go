package identity

import "golang.org/x/sys/windows"

// harden gives the vault to the administrators and the system alone, nothing inherited (spec identity 4.3). A process that
// is not elevated keeps the folder's own list: it would lock itself out.
func (v vault) harden() error {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return nil
	}
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)")
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	for _, dir := range []string{v.dir, v.store()} {
		err := windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
			windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
		if err != nil {
			return err
		}
	}
	return nil
}
