package host

import "golang.org/x/sys/windows"

// diskFaults are the errors of a disk that failed, is read-only or is full.
func diskFaults() []error {
	return []error{windows.ERROR_IO_DEVICE, windows.ERROR_CRC, windows.ERROR_WRITE_FAULT, windows.ERROR_READ_FAULT,
		windows.ERROR_WRITE_PROTECT, windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_CORRUPT,
		windows.ERROR_FILE_CORRUPT, windows.ERROR_NOT_READY, windows.ERROR_NO_SUCH_DEVICE}
}
