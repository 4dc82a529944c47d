package setupexe

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ownFolder makes a folder that no other account can write to: with its access list from its first moment on. A process without an
// administrator's rights, whose installation asks for them later or fails, takes its person's own.
func ownFolder() (string, error) {
	if !windows.GetCurrentProcessToken().IsElevated() {
		return os.MkdirTemp("", folderName)
	}
	system, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return "", err
	}
	sd, err := windows.SecurityDescriptorFromString("O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(system, "Temp", folderName+rand.Text())
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return "", err
	}
	access := windows.SecurityAttributes{SecurityDescriptor: sd}
	access.Length = uint32(unsafe.Sizeof(access))
	if err := windows.CreateDirectory(name, &access); err != nil {
		return "", &os.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return dir, nil
}

// removeLater has Windows remove a folder, and the files in it, at its next start. It needs an administrator's rights.
func removeLater(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, atNextStart(filepath.Join(dir, e.Name())))
	}
	return errors.Join(err, atNextStart(dir))
}

func atNextStart(path string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(name, nil, windows.MOVEFILE_DELAY_UNTIL_REBOOT)
}
