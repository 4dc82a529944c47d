package bucket

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrLink says that a file of a folder is reached by a link: what it shows may change between two looks, and may lie elsewhere.
var ErrLink = fault.New(fault.Refused, "a link is not followed in a folder of packages", "copy the folder's files themselves")

// folder answers requests from the files below a path: there is no listener, and no other account reads them through this program.
type folder string

// folderFault is a fault of the disk, which no further try changes.
type folderFault struct{ cause error }

func (e *folderFault) Error() string { return e.cause.Error() }

// RoundTrip opens the file that an address names. What is copied is hashed by the caller, so a file that changes while it is read is
// refused as any other with a wrong hash.
func (f folder) RoundTrip(r *http.Request) (*http.Response, error) {
	file, size, err := f.open(r.URL.Path)
	answer := &http.Response{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		answer.Status, answer.StatusCode = "404 Not Found", http.StatusNotFound
		return answer, nil
	case err != nil:
		return nil, &folderFault{err}
	}
	answer.Status, answer.StatusCode = "200 OK", http.StatusOK
	answer.Body, answer.ContentLength = file, size
	return answer, nil
}

// open opens a regular file. An address is below that of the folder, slash-separated; on Windows it has a slash before the drive.
func (f folder) open(address string) (_ *os.File, size int64, err error) {
	if info, err := os.Lstat(string(f)); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, 0, fmt.Errorf("%w: %s", ErrLink, string(f))
	}
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, 0, err
	}
	defer root.Close()
	key := strings.TrimPrefix(path.Clean(address), strings.TrimSuffix(path.Clean(f.address()), "/")+"/")
	for at := ""; key != at; {
		at = path.Join(at, strings.SplitN(strings.TrimPrefix(key[len(at):], "/"), "/", 2)[0])
		info, err := root.Lstat(at)
		if err != nil {
			return nil, 0, err
		}
		if info.Mode()&fs.ModeSymlink != 0 || info.Mode()&fs.ModeIrregular != 0 {
			return nil, 0, fmt.Errorf("%w: %s", ErrLink, path.Join(string(f), at))
		}
	}
	file, err := root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe is not waited for
	if err != nil {
		return nil, 0, err
	}
	seen, err := root.Lstat(key)
	opened, ferr := file.Stat()
	switch {
	case err != nil || ferr != nil:
		err = errors.Join(err, ferr)
	case !os.SameFile(seen, opened):
		err = fmt.Errorf("%w: %s", ErrLink, path.Join(string(f), key))
	case !opened.Mode().IsRegular():
		err = fs.ErrNotExist
	default:
		return file, opened.Size(), nil
	}
	_ = file.Close()
	return nil, 0, err
}

// address is the folder's path as it stands in an address.
func (f folder) address() string {
	slashed := strings.ReplaceAll(string(f), string(os.PathSeparator), "/")
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	return slashed
}
