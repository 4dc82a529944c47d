package host

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Rights by which a folder's content is changed: inside of an installation all of them count, above it those that take away or hand
// over what is there.
const (
	takesAway = windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_ALL | deleteChild
	adds      = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.GENERIC_WRITE

	deleteChild = 0x40 // FILE_DELETE_CHILD

	inheritOnly = 0x8 // INHERIT_ONLY_ACE: not for the folder itself
)

// CheckFolders fails where an account other than the system's, the administrators', Windows' own installer's and this one could
// exchange a program in dir: by changing dir, or by renaming any folder on the way from the drive to it. root, which may be empty, is a
// folder on that way: in it, and in all below, no other account may add files either. What is not there yet is not looked at.
// [ErrForeign] and [ErrWritable] say what was found.
func CheckFolders(dir, root string) error {
	inside := root != ""
	for {
		if err := checkAccess(dir, inside); err != nil {
			return err
		}
		if strings.EqualFold(dir, root) {
			inside = false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return nil
		}
		dir = up
	}
}

// CheckFile fails where another account could change a file, links followed.
func CheckFile(path string) error { return checkAccess(path, true) }

// checkAccess looks at owner and access list of one file or folder.
func checkAccess(path string, inside bool) error {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) || errors.Is(err, windows.ERROR_PATH_NOT_FOUND) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the access list of %s: %w", path, err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("read the owner of %s: %w", path, err)
	}
	if !trustedAccount(owner) {
		return &folderError{ErrForeign, path + " is " + owner.String() + "'s"}
	}
	dacl, _, err := sd.DACL()
	if errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND) || err == nil && dacl == nil {
		return &folderError{ErrWritable, path + " has no access list"}
	}
	if err != nil {
		return fmt.Errorf("read the access list of %s: %w", path, err)
	}
	rights := windows.ACCESS_MASK(takesAway)
	if inside {
		rights |= adds
	}
	for n := range uint32(dacl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(dacl, n, &ace); err != nil {
			return fmt.Errorf("read the access list of %s: %w", path, err)
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Header.AceFlags&inheritOnly != 0 || ace.Mask&rights == 0 {
			continue
		}
		if sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)); !trustedAccount(sid) {
			return &folderError{ErrWritable, path + " by " + sid.String()}
		}
	}
	return nil
}

// trustedAccount tells whether an account may change programs: this one, and those that may change the system anyhow.
func trustedAccount(sid *windows.SID) bool {
	switch sid.String() {
	case "S-1-5-18", "S-1-5-32-544", // the system, administrators
		"S-1-3-0", "S-1-3-4", // the owner, who is looked at by itself
		"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464": // TrustedInstaller
		return true
	}
	own, err := windows.GetCurrentProcessToken().GetTokenUser()
	return err == nil && windows.EqualSid(own.User.Sid, sid)
}
