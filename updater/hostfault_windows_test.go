package updater

import "golang.org/x/sys/windows"

func diskErrors() []error {
	return []error{windows.ERROR_DISK_FULL, windows.ERROR_WRITE_PROTECT, windows.ERROR_CRC, windows.ERROR_SHARING_VIOLATION,
		windows.ERROR_ACCESS_DENIED}
}
