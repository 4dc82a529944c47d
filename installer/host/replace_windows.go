package host

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// replace gives a file another one's name. This system refuses while another program, a virus scanner say, has that one open: a
// moment's patience.
func replace(from, to string) (err error) {
	for range 100 {
		err = os.Rename(from, to)
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}
