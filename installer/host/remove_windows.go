package host

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// RemoveFile removes a file. This system refuses while the file is a program that runs, and for a moment after it ended: up to 10 s
// of patience.
func RemoveFile(path string) (err error) {
	for range 100 {
		err = os.Remove(path)
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}
