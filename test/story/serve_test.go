//go:build unix

package story_test

import (
	"net/http"
	"net/http/httptest"

	"github.com/rogpeppe/go-internal/testscript"
)

// serveFolder is a plain web server over a folder; ENDPOINT becomes its address.
func serveFolder(ts *testscript.TestScript, s *story, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: serve FOLDER")
	}
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(server.Close)
	ts.Setenv("ENDPOINT", server.URL)
}
