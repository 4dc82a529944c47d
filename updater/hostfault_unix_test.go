//go:build unix

package updater

import "syscall"

func diskErrors() []error {
	return []error{syscall.EIO, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT, syscall.ENXIO, syscall.ENODEV, syscall.EMFILE, syscall.ENFILE,
		syscall.ENOMEM, syscall.EXDEV, syscall.EACCES, syscall.EPERM}
}
