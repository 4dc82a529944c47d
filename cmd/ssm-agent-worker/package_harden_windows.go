package main

import (
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/ssm-setup/ssm-setup/installer"
)

const serviceKey = `SYSTEM\CurrentControlSet\Services\AmazonSSMAgent`

// harden gives the folder of data and all in it to the administrators and the system alone: another user may have made it before
// the agent came, and would own it still. Done once on a machine, written down as originals do (docs/protocol/update.md,
// "Windows packages"): what an admin changes afterwards stays.
func harden(l installer.Layout) error {
	if hardened() {
		return nil
	}
	top := filepath.Dir(l.Data())
	own, err := windows.SecurityDescriptorFromString("O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)")
	if err != nil {
		return err
	}
	_ = takePrivileges()
	if err := secure(top, own, windows.PROTECTED_DACL_SECURITY_INFORMATION); err != nil {
		return err
	}
	inherit, err := windows.SecurityDescriptorFromString("O:BAD:")
	if err != nil {
		return err
	}
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == top {
			return err
		}
		if isLink(d.Type()) {
			return skip(d)
		}
		return secure(path, inherit, windows.UNPROTECTED_DACL_SECURITY_INFORMATION)
	})
	if err != nil {
		return err
	}
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, serviceKey, registry.SET_VALUE)
	if err != nil {
		return nil // no service: done again the next time
	}
	defer key.Close()
	return key.SetDWordValue("SSMDataHardened", 1)
}

// skip leaves a link as it is, with whatever lies behind it.
func skip(d fs.DirEntry) error {
	if d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func secure(path string, sd *windows.SECURITY_DESCRIPTOR, how windows.SECURITY_INFORMATION) error {
	owner, _, err := sd.Owner()
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	// Who owns it first: an owner may change the rest whatever the list says.
	if err := windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION, owner, nil, nil, nil); err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|how, nil, nil, dacl, nil)
}

// takePrivileges lets an administrator's process take what is another's. Without them it works on what is not locked against
// administrators.
func takePrivileges() error {
	var token windows.Token
	err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_ADJUST_PRIVILEGES|windows.TOKEN_QUERY, &token)
	if err != nil {
		return err
	}
	defer token.Close()
	for _, name := range []string{"SeTakeOwnershipPrivilege", "SeRestorePrivilege", "SeBackupPrivilege"} {
		p := windows.Tokenprivileges{PrivilegeCount: 1}
		p.Privileges[0].Attributes = windows.SE_PRIVILEGE_ENABLED
		word, err := windows.UTF16PtrFromString(name)
		if err != nil {
			return err
		}
		if err := windows.LookupPrivilegeValue(nil, word, &p.Privileges[0].Luid); err != nil {
			return err
		}
		if err := windows.AdjustTokenPrivileges(token, false, &p, 0, nil, nil); err != nil {
			return err
		}
	}
	return nil
}
