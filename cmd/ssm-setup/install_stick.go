package main

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions"
)

// stickOf is the folder that --endpoint names, as a path or as file://…: a mirror on a disk or stick. It has packages and no
// services, so an installation from it leaves the settings for services and updates as they are.
func stickOf(endpoint string) (dir string, ok bool) {
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

// plug makes a mirror's folder reachable, for this run and on loopback only.
func (i *installing) plug(dir string) (unplug func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l)
	i.base, i.endpoint, i.stick = "http://"+l.Addr().String()+"/"+regions.Bucket(i.region), "", filepath.Join(dir, regions.Bucket(i.region))
	return func() { server.Close() }, nil
}
