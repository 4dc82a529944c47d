package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// mirrorFolder is the folder that an endpoint names, as a path or as file://…: a mirror on a disk or stick. It has packages and no
// services, so an installation from it leaves the settings for services and updates as they are.
func mirrorFolder(endpoint string) (dir string, ok bool) {
	if dir, ok = strings.CutPrefix(endpoint, "file://"); !ok && strings.Contains(endpoint, "://") {
		return "", false
	}
	if !ok {
		dir = endpoint
	}
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return dir, ok // a folder that is not there is the installation's fault to tell
	}
	dir, err = filepath.Abs(dir)
	return dir, err == nil
}

// openMirror has this run read the region's bucket in a mirror's folder. There is no listener, and no link leads out of that folder:
// whose stick it is may not make root read other files, nor show them to others.
func (r *run) openMirror(dir string) (done func(), err error) {
	r.mirror = filepath.Join(dir, regions.Bucket(r.Region))
	root, err := os.OpenRoot(r.mirror)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", bucket.ErrMissing, r.mirror)
	}
	if err != nil {
		return nil, err
	}
	r.Base, r.Endpoint = "http://mirror/"+regions.Bucket(r.Region), ""
	r.http = &http.Client{Transport: folder{root, "/" + regions.Bucket(r.Region), http.NewFileTransportFS(root.FS())}}
	return func() { _ = root.Close() }, nil
}

// folder answers requests below prefix from the files in a folder; only what is a regular file is there.
type folder struct {
	root   *os.Root
	prefix string
	files  http.RoundTripper
}

func (f folder) RoundTrip(r *http.Request) (*http.Response, error) {
	key := strings.TrimPrefix(r.URL.Path, f.prefix)
	info, err := f.root.Stat(strings.TrimPrefix(key, "/"))
	if err == nil && !info.Mode().IsRegular() || errors.Is(err, fs.ErrNotExist) {
		return &http.Response{Status: "404 Not Found", StatusCode: http.StatusNotFound, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	if err != nil {
		return nil, err
	}
	to := r.Clone(r.Context())
	to.URL.Path, to.URL.RawPath = key, ""
	answer, err := f.files.RoundTrip(to)
	if err != nil {
		return nil, err
	}
	// The standard transport for files leaves the size to the header.
	if size, err := strconv.ParseInt(answer.Header.Get("Content-Length"), 10, 64); err == nil {
		answer.ContentLength = size
	}
	return answer, nil
}
