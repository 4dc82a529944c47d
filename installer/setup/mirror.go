package setup

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions"
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

// serveFolder makes a mirror's folder reachable, for this run and on loopback only.
func (r *run) serveFolder(dir string) (done func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l)
	r.Base, r.Endpoint, r.mirror = "http://"+l.Addr().String()+"/"+regions.Bucket(r.Region), "", filepath.Join(dir, regions.Bucket(r.Region))
	return func() { server.Close() }, nil
}
